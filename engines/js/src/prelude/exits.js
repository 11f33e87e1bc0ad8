// What asks for the end of the process, and ends an invocation instead. Signals that Node's `process` sends are looked at in
// Rust, below every way to name its functions.
import { currentMeta, host } from "ext:trine_prelude/context.js";

/** What `process.exit`, `Deno.exit` and their like come to: the code that asks is stopped where it stands. */
export function exit(status) {
  const meta = currentMeta();
  host.exit(status || Number(meta?.program?.exitCode ?? 0), meta?.slot ?? -1);
}

/** The signals that ask the host to end. */
const ENDING = new Set(["SIGINT", "SIGTERM"]);

/**
 * Lets guests listen for signals beside the host: whatever they listen for, those that ask for the end remain the host's,
 * which waits until the guest's listeners have heard of them.
 */
export function shareSignals() {
  const { addSignalListener } = Deno;
  const shared = new Set();
  Deno.addSignalListener = (signal, listener) => {
    const isEnding = ENDING.has(signal);
    host.listens(isEnding);
    if (isEnding && !shared.has(signal)) {
      shared.add(signal);
      addSignalListener(signal, host.heard);
    }
    addSignalListener(signal, listener);
  };
}

/** Lets `Deno.kill` see the signals to this process that would end it. What is behind it is loaded when it is asked for. */
export function trapSignals() {
  const { get } = Object.getOwnPropertyDescriptor(Deno, "kill");
  let trapped;
  Object.defineProperty(Deno, "kill", {
    configurable: true,
    enumerable: true,
    get() {
      if (trapped === undefined) {
        const kill = Reflect.apply(get, Deno, []);
        trapped = (pid, signal = "SIGTERM") => {
          if (!host.trapSignal(pid, String(signal))) {
            kill(pid, signal);
          }
        };
      }
      return trapped;
    },
    set(value) {
      trapped = value;
    },
  });
}
