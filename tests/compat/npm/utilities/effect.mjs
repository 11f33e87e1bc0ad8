// effect, neverthrow, xstate: effects, results, state machines
import { Effect } from "effect";
import { err, ok } from "neverthrow";
import { createActor, createMachine } from "xstate";

export const handler = async () => {
  const program = Effect.gen(function* () {
    const n = yield* Effect.succeed(20);
    yield* Effect.sleep("5 millis");
    return n + 22;
  });
  const machine = createMachine({
    id: "m",
    initial: "a",
    states: { a: { on: { GO: "b" } }, b: { after: { 10: "c" } }, c: { type: "final" } },
  });
  const actor = createActor(machine).start();
  actor.send({ type: "GO" });
  const middle = actor.getSnapshot().value;
  await new Promise((resolve) => setTimeout(resolve, 50));
  return [
    await Effect.runPromise(program),
    ok(1)
      .map((n) => n + 1)
      ._unsafeUnwrap(),
    err("e").unwrapOr(3),
    middle,
    actor.getSnapshot().value,
  ];
};
