// Mends `node:test`; see build.rs. Deno hands tests to the runner of its command line,
// and its runtime has a function in that place that does nothing. This one runs them when the module that registers them
// has been evaluated, one after the other, and tells of them as Node's reporter `spec` does. A test that fails makes the
// process's status 1.

const { core } = __bootstrap;
const { setTimeout } = core.loadExtScript("ext:deno_web/02_timers.js");
const { inspect } = core.loadExtScript("ext:deno_node/internal/util/inspect.mjs");
const process = core.createLazyLoader("node:process")().default;

const waiting = [];
const counts = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0 };
const failures = [];
let began;
/** The test that runs, of those that are part of no other. */
let current;

const say = (line) => process.stdout.write(`${line}\n`);

/** Runs a test with those that are part of it. Gives the lines that tell of it, and whether it has failed. */
const run = async ({ name, fn, ignore }, depth, test) => {
  const indent = "  ".repeat(depth);
  counts.tests++;
  if (ignore) {
    counts.skipped++;
    return { lines: [`${indent}\ufe63 ${name} # SKIP`], failed: false };
  }
  const started = performance.now();
  const parts = [];
  let broken = 0;
  const step = async (part) => {
    const { lines, failed } = await run(part, depth + 1, {});
    parts.push(...lines);
    broken += failed;
    return !failed;
  };
  try {
    const stopped = new Promise((_, reject) => test.fail = reject);
    await Promise.race([fn({ name, step }), stopped]);
    if (broken > 0) {
      throw new Error(`${broken} subtest${broken === 1 ? "" : "s"} failed`);
    }
  } catch (error) {
    test.error = { error };
  }
  const took = `(${(performance.now() - started).toFixed(6)}ms)`;
  const failed = test.error !== undefined;
  counts[failed ? "fail" : "pass"]++;
  const line = `${failed ? "\u2716" : "\u2714"} ${name} ${took}`;
  if (failed) {
    failures.push([line, test.error.error]);
  }
  const head = parts.length > 0 ? [`${indent}\u25b6 ${name}`] : [];
  return { lines: [...head, ...parts, indent + line], failed };
};

const runAll = async () => {
  while (waiting.length > 0) {
    const definition = waiting.shift();
    current = { name: definition.name };
    const { lines, failed } = await run(definition, 0, current);
    current = undefined;
    lines.forEach(say);
    if (failed) {
      process.exitCode = 1;
    }
  }
  began.isIdle = true;
};

/** Says how many tests there were. One that still waits has nothing left to wait for. */
const end = () => {
  if (current !== undefined) {
    counts.cancelled++;
    process.exitCode = 1;
    const error = new Error("Promise resolution is still pending but the event loop has already resolved");
    failures.push([`\u2716 ${current.name}`, error]);
    say(`\u2716 ${current.name}`);
  }
  for (const [what, count] of Object.entries(counts)) {
    say(`\u2139 ${what} ${count}`);
  }
  say(`\u2139 duration_ms ${(performance.now() - began.at).toFixed(6)}`);
  if (failures.length > 0) {
    say("\n\u2716 failing tests:");
  }
  for (const [line, error] of failures) {
    say(`\n${line}\n${inspect(error).replace(/^/gm, "  ")}`);
  }
};

Deno.test = (definition) => {
  waiting.push(definition);
  if (began === undefined) {
    began = { at: performance.now(), isIdle: true };
    process.on("exit", end);
    // What nobody catches while a test runs is its failure.
    globalThis.addEventListener("error", (event) => {
      current?.fail?.(event.error);
    });
  }
  if (began.isIdle) {
    began.isIdle = false;
    setTimeout(runAll, 0);
  }
};
