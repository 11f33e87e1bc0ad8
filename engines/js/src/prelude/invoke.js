// Loads modules and calls handlers. One call from Rust per invocation: parsing, context, handler and stringifying happen
// here, because each crossing between Rust and JavaScript costs more than they do.
import { core } from "ext:core/mod.js";
import { Context, host, within } from "ext:trine_prelude/context.js";
import { Failure } from "ext:trine_prelude/errors.js";

const parse = JSON.parse;
const toJson = JSON.stringify;

/** Promises that have an answer which waits for the event loop to empty, or that get `null` when it does. */
const waiting = new WeakMap();

function fault(kind, name, message, cause) {
  const error = new Error(message);
  error.name = name;
  error.trineKind = kind;
  error.trineCause = cause;
  return error;
}

function toText(value) {
  if (value === undefined) {
    return "null";
  }
  let text;
  try {
    text = toJson(value);
  } catch (error) {
    throw fault(
      "Marshal",
      "Runtime.JSONStringifyError",
      `Unable to stringify response body: ${error.message}`,
    );
  }
  if (text === undefined) {
    throw fault(
      "Marshal",
      "Runtime.JSONStringifyError",
      `Unable to stringify response body: a ${typeof value} has no JSON form`,
    );
  }
  return text;
}

const toBox = (value) => [value];
const fail = (thrown) => new Failure(thrown);

function isThenable(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") &&
    typeof value.then === "function";
}

/** The ways to answer other than by return value, as Node's handlers have them. The first answer counts. */
class Answer {
  waits = true;
  used = false;
  #resolve;
  #reject;
  #held;
  promise;

  settle(error, value) {
    this.#open();
    if (error !== null && error !== undefined) {
      this.#reject(error);
    } else {
      this.#resolve(value);
    }
  }

  /** The third argument of a handler: like `settle`, but a value waits for the event loop to empty if so asked. */
  callback = (error, value) => {
    this.#open();
    if ((error === null || error === undefined) && this.waits) {
      this.#held ??= { value };
    } else {
      this.settle(error, value);
    }
  };

  #open() {
    this.used = true;
    if (this.promise === undefined) {
      ({ promise: this.promise, resolve: this.#resolve, reject: this.#reject } = Promise
        .withResolvers());
    }
  }

  /** What the handler's undefined result stands for: an answer to come. */
  pending() {
    this.#open();
    return this.promise;
  }

  /** The event loop is empty: the held value goes out, or `null` when there was no answer at all. */
  empty() {
    this.#resolve(this.#held?.value ?? null);
  }
}

function run(handler, event, meta, finish) {
  const answer = new Answer();
  const context = new Context(meta, answer);
  const result = within(meta, handler, event, context, answer.callback);
  if (isThenable(result)) {
    const promise = answer.used ? Promise.race([result, answer.pending()]) : Promise.resolve(result);
    return promise.then(finish).catch(fail);
  }
  if (answer.used || (handler.length >= 3 && result === undefined)) {
    const promise = answer.pending().then(finish).catch(fail);
    waiting.set(promise, answer);
    return promise;
  }
  return finish(result);
}

function parseEvent(text) {
  try {
    return parse(text);
  } catch (error) {
    throw fault("Unmarshal", error.name, error.message);
  }
}

/**
 * Calls a handler. Never throws: a failure is a value.
 *
 * @param event the event's text, or its value
 * @param {boolean} parses whether `event` is JSON text
 * @param {boolean} stringifies whether the result is wanted as JSON text, else as a value in an array of one
 * @returns the result in that form, or a promise of it
 */
export function invoke(
  handler,
  event,
  parses,
  stringifies,
  requestId,
  deadlineMs,
  invokedFunctionArn,
  traceId,
  clientContext,
  identity,
  tenantId,
  functionName,
  w3c,
) {
  const meta = {
    requestId,
    deadlineMs,
    invokedFunctionArn,
    traceId,
    clientContext,
    identity,
    tenantId,
    functionName,
    w3c,
  };
  try {
    if (core.eventLoopHasMoreWork()) {
      host.leftovers();
    }
    if (host.tracesInEnvironment) {
      setTrace(traceId);
    }
    return run(handler, parses ? parseEvent(event) : event, meta, stringifies ? toText : toBox);
  } catch (thrown) {
    return new Failure(thrown);
  }
}

let lastTrace;

function setTrace(traceId) {
  if (traceId === lastTrace) {
    return;
  }
  lastTrace = traceId;
  if (traceId === undefined) {
    Deno.env.delete("_X_AMZN_TRACE_ID");
  } else {
    Deno.env.set("_X_AMZN_TRACE_ID", traceId);
  }
}

/** A value's JSON text, or a failure. */
export function stringify(value) {
  try {
    return toText(value);
  } catch (thrown) {
    return new Failure(thrown);
  }
}

/** Called when the event loop is empty and `promise` is still pending. Returns whether an answer is coming now. */
export function idle(promise) {
  const answer = waiting.get(promise);
  if (answer === undefined) {
    return false;
  }
  waiting.delete(promise);
  answer.empty();
  return true;
}

function namesOf(namespace) {
  const names = new Set();
  for (const source of [namespace, namespace?.default]) {
    if (source !== null && (typeof source === "object" || typeof source === "function")) {
      for (const name of Object.keys(source)) {
        if (typeof source[name] === "function") {
          names.add(name);
        }
      }
    }
  }
  return [...names];
}

function lookUp(namespace, path) {
  let value = namespace;
  for (const step of path) {
    value = value?.[step];
  }
  return value;
}

function exportOf(namespace, path) {
  const steps = path.split(".");
  return lookUp(namespace, steps) ?? lookUp(namespace?.default, steps);
}

let NodeModule;

/** Node's module system, which also looks into the layers for packages that the folders above a module lack. */
function nodeModule() {
  if (NodeModule === undefined) {
    NodeModule = core.createLazyLoader("node:module")().default;
    const above = NodeModule._nodeModulePaths;
    NodeModule._nodeModulePaths = (from) => [...above(from), ...host.packageFolders];
  }
  return NodeModule;
}

function requireFile(path) {
  return nodeModule()._load(path, null, false);
}

async function loadNamespace(format, path, url) {
  if (format === "module") {
    return await host.import(url);
  }
  try {
    return requireFile(path);
  } catch (error) {
    if (error?.code === "ERR_REQUIRE_ASYNC_MODULE") {
      return await host.import(url);
    }
    throw error;
  }
}

/** Loads a module and finds functions in it; see `find`. A failure is a value. */
export function load(...args) {
  return find(...args).catch(fail);
}

/**
 * Loads a module and finds functions in it.
 *
 * @param {string} format "module", or "commonjs" which falls back to a module where only that parses
 * @param {string[]} paths export paths
 * @param {boolean} required whether the one path must exist
 * @returns {Promise<Array>} name, function, name, function, …
 */
async function find(format, path, url, paths, required, handlerName) {
  const namespace = await loadNamespace(format, path, url);
  const found = [];
  for (const name of paths) {
    let value = name === "" ? undefined : exportOf(namespace, name);
    if (value === undefined && required) {
      // A module that is a function itself.
      const whole = namespace?.default ?? namespace;
      if (typeof whole === "function" && (name === "" || name === "handler" || name === "default")) {
        value = whole;
      }
    }
    if (value === undefined && !required) {
      continue;
    }
    if (typeof value !== "function") {
      const names = namesOf(namespace);
      const problem = value === undefined ? "is undefined or not exported" : "is not a function";
      const error = fault(
        "HandlerNotFound",
        "Runtime.HandlerNotFound",
        `${handlerName} ${problem}`,
      );
      error.trineNames = names;
      error.trineWanted = name;
      error.stack = `${error.name}: ${error.message}`;
      throw error;
    }
    found.push(name, value);
  }
  return found;
}
