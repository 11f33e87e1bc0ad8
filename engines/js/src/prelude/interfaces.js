// What a handler is: a function of events, or a web application, by what it has and by the names of its parameters.
import { isThenable } from "ext:trine_prelude/marshal.js";
import { isPermissive } from "ext:trine_prelude/rules.js";

/** The interfaces; `Interface` in Rust, as far as JavaScript has them. */
export const EVENT = 0;
export const FETCH = 1;
export const NODE = 2;

const NUMBERS = { event: EVENT, fetch: FETCH, node: NODE };

/** The server by which an application of Node's is called, and that has listeners of its own for upgrades. */
const servers = new WeakMap();

export function serverOf(listener) {
  return servers.get(listener);
}

/** The listener that stands for a server. */
export function listenerOf(server) {
  const listener = (request, response) => server.emit("request", request, response);
  servers.set(listener, server);
  return listener;
}

/** Lets an application hear of upgrades by a server that it has started. */
export function pair(listener, server) {
  if (!servers.has(listener)) {
    servers.set(listener, server);
  }
}

const isFunction = (value) => typeof value === "function";

/** Whether a value is a server of `node:http` or its like. */
export function isServer(value) {
  return typeof value === "object" && value !== null && isFunction(value.listen) &&
    isFunction(value.emit) && isFunction(value.listenerCount) && isFunction(value.address);
}

const textOf = Function.prototype.call.bind(Function.prototype.toString);

/** The names of a function's parameters, as far as they are plain names. */
export function parameterNames(callee) {
  const text = textOf(callee).slice(0, 1000).replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, "");
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(text);
  if (single !== null) {
    return [single[1]];
  }
  const list = /^[^(]*\(([^()]*)\)/.exec(text);
  if (list === null || list[1].trim() === "") {
    return [];
  }
  return list[1].split(",").map((parameter) => parameter.trim().replace(/\s*=[^]*$/, ""))
    .filter((parameter) => parameter !== "");
}

const IS_REQUEST = /^[_$]*(?:req|request)$/;
const IS_RESPONSE = /^[_$]*(?:res|response|resp)$/;
const IS_UNUSED = /^[_$]+$/;
const IS_ENVIRONMENT = /^[_$]*env$/;

/** What a function is by its parameters. */
function interfaceOf(callee) {
  if (!isPermissive) {
    return EVENT;
  }
  const [first = "", second = "", third = "", ...rest] = parameterNames(callee);
  const isRequest = IS_REQUEST.test(first);
  if (IS_RESPONSE.test(second) && (isRequest || IS_UNUSED.test(first))) {
    const isMiddleware = third === "" || /^[_$]*next$/.test(third);
    return isMiddleware && rest.length === 0 ? NODE : EVENT;
  }
  return isRequest && (second === "" || IS_ENVIRONMENT.test(second)) ? FETCH : EVENT;
}

const told = (number, callee) => ({ interface: number, callee });

/** What an object of a framework is. It may have to be awaited; undefined where it is none. */
function tellApplication(value) {
  if (isServer(value)) {
    return told(NODE, listenerOf(value));
  }
  if (isFunction(value.fetch)) {
    return told(FETCH, (request, env, context) => value.fetch(request, env, context));
  }
  if (isFunction(value.getHttpAdapter) && isFunction(value.init)) {
    return tellNest(value);
  }
  if (isFunction(value.routing) && isFunction(value.ready)) {
    return tellFastify(value);
  }
  if (isFunction(value.callback) && isFunction(value.use)) {
    return told(NODE, value.callback());
  }
  if (isServer(value.listener) && isFunction(value.initialize)) {
    return tellHapi(value);
  }
  const listens = isFunction(value.listen);
  if (isFunction(value)) {
    return isFunction(value.handle) && (listens || isFunction(value.use))
      ? told(NODE, value)
      : undefined;
  }
  if (!listens) {
    return undefined;
  }
  if (isServer(value.server)) {
    return told(NODE, listenerOf(value.server));
  }
  for (const name of ["handler", "handle"]) {
    if (isFunction(value[name])) {
      return told(NODE, (request, response) => value[name](request, response));
    }
  }
  return undefined;
}

async function tellNest(value) {
  await value.init();
  const inner = await tell(value.getHttpAdapter().getInstance());
  const server = value.getHttpServer?.();
  if (inner?.interface === NODE && isServer(server)) {
    pair(inner.callee, server);
  }
  return inner;
}

async function tellFastify(value) {
  await value.ready();
  const listener = (request, response) => value.routing(request, response);
  if (isServer(value.server)) {
    pair(listener, value.server);
  }
  return told(NODE, listener);
}

async function tellHapi(value) {
  await value.initialize();
  return told(NODE, listenerOf(value.listener));
}

/** What a function or an object is that somebody has said the interface of; undefined where it cannot be that. */
function tellAs(value, number) {
  if (number === EVENT) {
    return isFunction(value) ? told(EVENT, value) : undefined;
  }
  const application = tellApplication(value);
  if (application !== undefined) {
    return application;
  }
  return isFunction(value) ? told(number, value) : undefined;
}

/**
 * What an export is: `{ interface, callee }`, or a promise of it; undefined where it is no handler.
 *
 * @param {string | undefined} wanted the interface's name, where somebody has said it
 */
export function tell(value, wanted) {
  if (value === null || (typeof value !== "object" && !isFunction(value))) {
    return undefined;
  }
  if (wanted !== undefined) {
    return isPromise(value) ? awaited(value, wanted) : tellAs(value, NUMBERS[wanted]);
  }
  const application = tellApplication(value);
  if (application !== undefined) {
    return application;
  }
  if (isFunction(value)) {
    return told(interfaceOf(value), value);
  }
  return isPromise(value) ? awaited(value, wanted) : undefined;
}

/** Frameworks' objects may be thenables, too. */
function isPromise(value) {
  return isThenable(value) && !isFunction(value.listen);
}

async function awaited(value, wanted) {
  return await tell(await value, wanted);
}
