// What ends a process that was started as Node because nobody has caught it, in Node's words.
import { core, internals, primordials } from "ext:core/mod.js";

const {
  FunctionPrototypeToString,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf,
  ObjectPrototypeToString,
} = primordials;
const { toString: textOfObject } = Object.prototype;

/** The last value that nobody has caught: `value`, and whether a promise was rejected with it. */
let last;
/** What stands for the main module: what rejects it has been thrown. */
let main;

/** Tells the promise of the main module. */
export function setMain(promise) {
  main = promise;
}

/** Notes what is thrown where no code of users' could catch it. */
export function watchErrors() {
  const { reportException } = core.loadExtScript("ext:deno_web/02_event.js");
  core.setReportExceptionCallback((value) => {
    last = { value, isRejection: false };
    reportException(value);
  });
  // Deno's, while there are listeners.
  let ofListeners;
  Object.defineProperty(internals, "nodeProcessUnhandledRejectionCallback", {
    configurable: true,
    get: () => (event) => {
      last = { value: event.reason, isRejection: event.promise !== main };
      ofListeners?.(event);
    },
    set: (callback) => ofListeners = callback,
  });
}

/**
 * What is printed of the value that ends the process.
 *
 * @param {boolean} isThrown whether it is `thrown`; else it is the last that was noted
 * @returns `{ text, isError, place }`, a place only where that is none in users' code; undefined where there is no such value
 */
export function describeFatal(isThrown, thrown) {
  const fatal = isThrown ? { value: thrown, isRejection: false } : last;
  try {
    return fatal && describe(fatal);
  } catch {
    // A value with a will of its own.
  }
}

function describe({ value, isRejection }) {
  const isError = value instanceof Error || core.isNativeError(value);
  if (isRejection && !isError) {
    return { text: rejectionOf(value), isError: true, place: TRIGGER };
  }
  if (value !== null && ["object", "function"].includes(typeof value)) {
    const { inspect } = core.loadExtScript("ext:deno_node/internal/util/inspect.mjs");
    return { text: inspect(value, { customInspect: false, depth: 5 }), isError };
  }
  return { text: String(value), isError };
}

const TRIGGER = `node:internal/process/promises
      triggerUncaughtException(err, true /* fromPromise */);
      ^

`;

function rejectionOf(reason) {
  return "[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch " +
    "block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason " +
    `"${textOf(reason)}".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}`;
}

/** A value's text, without asking any code of users' for it. */
function textOf(value) {
  if (typeof value === "function") {
    return FunctionPrototypeToString(value);
  }
  if (value === null || typeof value !== "object") {
    return String(value);
  }
  try {
    const name = dataOf(dataOf(value, "constructor"), "name");
    if (dataOf(value, "toString") === textOfObject && typeof name === "string") {
      return `#<${name}>`;
    }
    return ObjectPrototypeToString(value);
  } catch {
    // A proxy with a trap that throws.
    return "[object Object]";
  }
}

/** A member that is no getter's, of an object or those that it inherits from. */
function dataOf(object, name) {
  for (let at = object ?? null; at !== null; at = ObjectGetPrototypeOf(at)) {
    const member = ObjectGetOwnPropertyDescriptor(at, name);
    if (member !== undefined) {
      return member.value;
    }
  }
}
