// What the functions of an invocation share with those of other languages, and the signal of its deadline.
import { host, within } from "ext:trine_prelude/context.js";

/** `context.reply(response)`. */
export function reply(meta, response) {
  if (typeof response?.then === "function") {
    throw new TypeError("context.reply takes the response itself, not a promise of it: await it first");
  }
  host.reply(meta.slot, response);
}

/** Traps that make an object of `context.state`: its members live outside of V8, where other languages reach them. */
class State {
  #meta;

  constructor(meta) {
    this.#meta = meta;
  }

  get(target, key) {
    if (typeof key === "string") {
      const value = host.stateGet(this.#meta.slot, key);
      if (value !== undefined) {
        return value;
      }
    }
    return target[key];
  }

  set(target, key, value) {
    if (typeof key === "string") {
      host.stateSet(this.#meta.slot, key, value);
    } else {
      target[key] = value;
    }
    return true;
  }

  has(target, key) {
    return (typeof key === "string" && host.stateHas(this.#meta.slot, key)) || key in target;
  }

  deleteProperty(target, key) {
    return typeof key === "string" ? (host.stateDelete(this.#meta.slot, key), true) : delete target[key];
  }

  ownKeys(target) {
    return [...host.stateKeys(this.#meta.slot), ...Object.getOwnPropertySymbols(target)];
  }

  getOwnPropertyDescriptor(target, key) {
    if (typeof key !== "string") {
      return Reflect.getOwnPropertyDescriptor(target, key);
    }
    if (!host.stateHas(this.#meta.slot, key)) {
      return undefined;
    }
    const value = host.stateGet(this.#meta.slot, key);
    return { value, writable: true, enumerable: true, configurable: true };
  }

  defineProperty(target, key, descriptor) {
    if (typeof key !== "string") {
      return Reflect.defineProperty(target, key, descriptor);
    }
    if (!("value" in descriptor)) {
      throw new TypeError(`context.state.${key} can be a value, not a getter: other languages read it`);
    }
    host.stateSet(this.#meta.slot, key, descriptor.value);
    return true;
  }

  preventExtensions() {
    return false;
  }

  setPrototypeOf() {
    return false;
  }
}

/** `context.state`: made when it is first asked for. */
export function stateOf(meta) {
  if (meta.state === undefined) {
    const target = {};
    meta.state = new Proxy(target, new State(meta));
    // What `console` shows of a proxy is its target, unless the target knows better.
    Object.defineProperty(target, Symbol.for("nodejs.util.inspect.custom"), {
      value: () => ({ ...meta.state }),
      configurable: true,
      enumerable: false,
    });
  }
  return meta.state;
}

/** `context.signal`: made when it is first asked for, aborted already when the warning has come before. */
export function signalOf(meta) {
  if (meta.controller === undefined) {
    meta.controller = new AbortController();
    // The reason is made when no code of the guest runs; the place where it took the signal says whose it is.
    meta.taken = {};
    Error.captureStackTrace(meta.taken, signalOf);
    if (meta.warned) {
      abort(meta);
    }
  }
  return meta.controller.signal;
}

function abort(meta) {
  const message = "the time of this invocation is nearly up";
  const reason = new DOMException(message, "TimeoutError");
  const frames = String(meta.taken.stack).split("\n").slice(1);
  Object.defineProperty(reason, "stack", {
    value: [`TimeoutError: ${message}`, ...frames].join("\n"),
    writable: true,
    configurable: true,
  });
  meta.reason = reason;
  within(meta, () => meta.controller.abort(reason));
}

/** The deadline of an invocation is near. */
export function warn(meta) {
  if (meta === undefined || meta.warned) {
    return;
  }
  meta.warned = true;
  if (meta.controller !== undefined) {
    abort(meta);
  }
}

/** The warning's reason, where this was thrown because of it: the reason itself, or what Node's functions throw for it. */
export function warningOf(thrown, meta) {
  const reason = meta?.reason;
  const isOne = reason !== undefined &&
    (thrown === reason ||
      (thrown?.name === "AbortError" && (thrown.cause ?? reason) === reason));
  return isOne ? reason : undefined;
}

function kindOf(value) {
  switch (typeof value) {
    case "function":
      return value.name === "" ? "a function" : `the function ${value.name}`;
    case "bigint":
      return `the bigint ${value}`;
    case "number":
      return `the number ${value}`;
    case "symbol":
      return "a symbol";
    default: {
      const name = value.constructor?.name;
      return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object of a class";
    }
  }
}

function noJson(what, path) {
  const where = path.replace(/^\./, "");
  const text = where === "" ? `${what} has` : `its member ${where} is ${what}, which has`;
  return new TypeError(`${text} no JSON form`);
}

/** Throws where `JSON.stringify` would leave something out, or write something poorer. */
export function checkPlain(value, path = "", above = new Set()) {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return;
    case "number":
      if (Number.isFinite(value)) {
        return;
      }
      throw noJson(kindOf(value), path);
    case "object":
      break;
    default:
      throw noJson(kindOf(value), path);
  }
  if (value === null || typeof value.toJSON === "function") {
    return;
  }
  if (above.has(value)) {
    throw noJson("part of a cycle", path);
  }
  above.add(value);
  if (Array.isArray(value)) {
    value.forEach((item, index) => checkPlain(item, `${path}[${index}]`, above));
  } else {
    const prototype = Object.getPrototypeOf(value);
    // The prototype of plain objects, of any realm, has none itself.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw noJson(kindOf(value), path);
    }
    for (const key of Object.keys(value)) {
      checkPlain(value[key], `${path}.${key}`, above);
    }
  }
  above.delete(value);
}
