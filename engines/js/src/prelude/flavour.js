// Makes the global scope Node's: what Node lacks is hidden from all but the runtime's own code. See `flavour.rs`.
import { core, internals } from "ext:core/mod.js";

/** What Node has not, or only behind a flag, in the order of the alphabet. Beside them, whatever begins with `GPU`. */
const NAMES = [
  "alert",
  "Cache",
  "caches",
  "CacheStorage",
  "close",
  "closed",
  "confirm",
  "createImageBitmap",
  "DedicatedWorkerGlobalScope",
  "Deno",
  "DOMMatrix",
  "DOMMatrixReadOnly",
  "DOMPoint",
  "DOMPointReadOnly",
  "DOMQuad",
  "DOMRect",
  "DOMRectReadOnly",
  "EventSource",
  "FileReader",
  "hasMessageEventListener",
  "ImageBitmap",
  "ImageBitmapRenderingContext",
  "ImageData",
  "localStorage",
  "location",
  "Location",
  "name",
  "NavigatorUAData",
  "OffscreenCanvas",
  "onbeforeunload",
  "onerror",
  "onload",
  "onunhandledrejection",
  "onunload",
  "pollForMessages",
  "ProgressEvent",
  "PromiseRejectionEvent",
  "prompt",
  "reportError",
  "self",
  "sessionStorage",
  "Storage",
  "Window",
  "Worker",
  "WorkerGlobalScope",
  "WorkerLocation",
  "WorkerNavigator",
];

/** What the global object inherits, and Node's does not. */
const INHERITED = ["addEventListener", "dispatchEvent", "removeEventListener"];

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Object;

/** What is hidden. Most of it is put here when the snapshot is made, so that a start has little left to do. */
const hidden = {};
let isHidden = false;
/** Undoes what was changed where it stands. */
let restore = [];

/** Puts globals that exist in hiding. */
function hide(names) {
  for (const name of names) {
    const descriptor = getOwnPropertyDescriptor(globalThis, name);
    if (descriptor?.configurable) {
      defineProperty(hidden, name, descriptor);
      delete globalThis[name];
    }
  }
}

hide(Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith("GPU")));
// Deno's runtime starts with its namespace.
hide(NAMES.filter((name) => name !== "Deno"));
for (const name of INHERITED) {
  defineProperty(hidden, name, { value: EventTarget.prototype[name], configurable: true });
}

function replace(object, name, descriptor) {
  const before = getOwnPropertyDescriptor(object, name);
  if (before?.configurable === false) {
    return;
  }
  restore.push(() => before === undefined ? delete object[name] : defineProperty(object, name, before));
  descriptor === undefined ? delete object[name] : defineProperty(object, name, descriptor);
}

/** `process.versions` is filled when `process` is set up, which may have been or may be when it is first asked for. */
function hideVersions(Deno) {
  const load = () => core.loadExtScript("ext:deno_node/_process/process.ts").versions;
  const clean = () => {
    const versions = load();
    for (const name of ["deno", "typescript"]) {
      replace(versions, name, undefined);
    }
  };
  if (internals.__nodeProcessBootstrapped) {
    clean();
    return;
  }
  const { version } = Deno;
  const facts = {
    // Read when the others are there.
    get v8() {
      isHidden ? clean() : Object.assign(load(), version);
      return version.v8;
    },
  };
  replace(Deno, "version", { value: facts, configurable: true });
  if (internals.__nodeBootstrapArgs !== undefined) {
    internals.__nodeBootstrapArgs.denoVersion = facts;
  }
}

function hideNavigator() {
  const prototype = getPrototypeOf(globalThis.navigator);
  const major = () => core.loadExtScript("ext:deno_node/_process/process.ts").version.split(".")[0];
  replace(prototype, "userAgent", {
    get: () => `Node.js/${major().slice(1)}`,
    enumerable: true,
    configurable: true,
  });
  replace(prototype, "gpu", undefined);
  replace(prototype, "userAgentData", undefined);
}

/** Whether the global scope is Node's. */
export function isNodes() {
  return isHidden;
}

/** Hides what Node lacks. */
export function hideDeno(host) {
  hide(NAMES);
  const above = getPrototypeOf(globalThis);
  setPrototypeOf(hidden, above);
  const curtain = host.curtain(hidden);
  setPrototypeOf(curtain, above);
  defineProperty(curtain, "constructor", { value: Object, configurable: true });
  setPrototypeOf(globalThis, curtain);
  restore = [() => setPrototypeOf(globalThis, above)];
  replace(globalThis, Symbol.toStringTag, { value: "global", configurable: true });
  for (const name of ["Buffer", "process"]) {
    replace(globalThis, name, { ...getOwnPropertyDescriptor(globalThis, name), enumerable: false });
  }
  isHidden = true;
  hideNavigator();
  hideVersions(hidden.Deno);
}

/** Shows everything, to a function that is written for Deno. */
export function showDeno() {
  for (const undo of restore) {
    undo();
  }
  restore = [];
  isHidden = false;
  for (const name of Object.getOwnPropertyNames(hidden)) {
    // What the function's middlewares have put there is theirs.
    if (!INHERITED.includes(name) && !Object.hasOwn(globalThis, name)) {
      defineProperty(globalThis, name, getOwnPropertyDescriptor(hidden, name));
    }
    delete hidden[name];
  }
}
