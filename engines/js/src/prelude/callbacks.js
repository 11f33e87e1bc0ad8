// Callbacks of `node:fs` and `node:crypto`: Deno calls them from promises, and what they throw becomes a rejection. In Node
// it is thrown where nothing catches it.
import { core, internals } from "ext:core/mod.js";

const guard = (callback) => (...args) => {
  try {
    return Reflect.apply(callback, undefined, args);
  } catch (error) {
    const { nextTick } = core.loadExtScript("ext:deno_node/_next_tick.ts");
    nextTick(() => {
      throw error;
    });
  }
};

const WITH_CALLBACKS = ["checkPrime", "generateKey", "generateKeyPair", "generatePrime", "hkdf", "scrypt"];

/** Mends a script, of which these are the exports. */
internals.trineMendCallbacks = (made) => {
  // What checks a callback of `node:fs` returns the one to call.
  for (const name of ["makeCallback", "maybeCallback"]) {
    const check = made[name];
    if (check !== undefined) {
      made[name] = (callback) => guard(check(callback));
    }
  }
  for (const name of WITH_CALLBACKS) {
    const own = made[name];
    if (own === undefined) {
      continue;
    }
    // Names, lengths and what `promisify` looks for stay.
    const guarded = {
      [name](...args) {
        const last = args.length - 1;
        if (typeof args[last] === "function") {
          args[last] = guard(args[last]);
        }
        return Reflect.apply(own, this, args);
      },
    }[name];
    made[name] = Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(own));
    if (made.default?.[name] === own) {
      made.default[name] = guarded;
    }
  }
};
