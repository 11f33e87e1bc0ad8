// `trine.snapshot`: what guests want done around a snapshot of the process, of which copies go on, and random numbers that
// no two copies share.
import { core } from "ext:core/mod.js";
import { Failure } from "ext:trine_prelude/errors.js";

const before = [];
const after = [];

function registers(hooks) {
  return (hook, ...args) => {
    if (typeof hook !== "function") {
      throw new TypeError(`a function is to be registered, not ${hook === null ? "null" : typeof hook}`);
    }
    hooks.push(() => hook(...args));
    return hook;
  };
}

const snapshot = Object.freeze({
  registerBeforeSnapshot: registers(before),
  registerAfterRestore: registers(after),
});

Object.defineProperty(globalThis, "trine", {
  value: Object.freeze({ snapshot }),
  writable: true,
  configurable: true,
});

/** A process that was started as Node runs no function of which a snapshot could be taken. */
export function hideSnapshot() {
  delete globalThis.trine;
}

// The bytes after which the system's generator is asked for a new seed by the one that all of them are drawn from.
const SEED_LASTS = 65536;

// Numbers that were drawn, of which so many are left.
const drawn = new Uint32Array(1024);
let left = 0;

// Fills an array from the generator of `crypto`.
let fill;

// Named as V8's own is.
const { random } = {
  random() {
    if (left === 0) {
      fill(drawn);
      left = drawn.length;
    }
    left -= 2;
    return ((drawn[left] >>> 5) * 67108864 + (drawn[left + 1] >>> 6)) / 9007199254740992;
  },
};

/** Has `Math.random` draw from a generator that can be seeded anew, which V8's own cannot. Before any guest's code runs. */
export function replaceRandom() {
  const { crypto } = globalThis;
  fill = crypto.getRandomValues.bind(crypto);
  Object.defineProperty(Math, "random", { value: random, writable: true, configurable: true });
}

async function run(work) {
  // It belongs to no invocation.
  core.setAsyncContext(undefined);
  try {
    await work();
    return [];
  } catch (thrown) {
    return new Failure(thrown, undefined, false);
  }
}

/** Runs what guests want done before a snapshot, the latest registration first, and ends idle connections of Node's. */
export function beforeSnapshot() {
  return run(async () => {
    while (before.length > 0) {
      // What has run is forgotten, as in AWS's runtimes.
      await before.pop()();
    }
    for (const name of ["http", "https"]) {
      globalThis.process?.getBuiltinModule?.(name).globalAgent.destroy();
    }
  });
}

/** Seeds the generators anew and runs what guests want done in a copy, in the order of its registration. */
export function afterRestore() {
  return run(async () => {
    const waste = new Uint8Array(SEED_LASTS);
    for (let time = 0; time < 2; time += 1) {
      fill?.(waste);
    }
    left = 0;
    for (const hook of after) {
      await hook();
    }
  });
}
