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

/** Whether a function takes a response of Node's. */
export function takesResponse(callee) {
  return IS_RESPONSE.test(parameterNames(callee)[1] ?? "");
}

const isFramework = (value) =>
  isFunction(value) && isFunction(value.handle) && (isFunction(value.listen) || isFunction(value.use));

/** The name of the member by which a framework's object takes requests. A module's exports may be called so, too. */
export function methodOf(value) {
  if (!isObject(value) || isFunction(value) || !isFunction(value.listen)) {
    return undefined;
  }
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return ["handler", "handle"].find((name) =>
    isFunction(value[name]) && (!isPlain || takesResponse(value[name]))
  );
}

/**
 * What applications have, and what is made of one of that kind: what it is, or a promise of that. The first one is that of
 * `fetch`, for some have whatever they are asked for.
 */
const KINDS = [
  [
    (value) => isFunction(value.fetch),
    (value) => told(FETCH, (request, env, context) => value.fetch(request, env, context)),
  ],
  [isServer, (value) => told(NODE, listenerOf(value))],
  [(value) => isFunction(value.getHttpAdapter) && isFunction(value.init), tellNest],
  [(value) => isFunction(value.routing) && isFunction(value.ready), tellFastify],
  [
    (value) => isFunction(value.callback) && isFunction(value.use),
    (value) => told(NODE, value.callback()),
  ],
  [(value) => isServer(value.listener) && isFunction(value.initialize), tellHapi],
  [isFramework, (value) => told(NODE, value)],
  [
    (value) => isFunction(value.listen) && isServer(value.server),
    (value) => told(NODE, listenerOf(value.server)),
  ],
  [
    (value) => methodOf(value) !== undefined,
    (value) => {
      const name = methodOf(value);
      return told(NODE, (request, response) => value[name](request, response));
    },
  ],
];

const isObject = (value) => value !== null && (typeof value === "object" || isFunction(value));

/** Whether an object or function is an application by what it has. */
export function isApplication(value) {
  return isObject(value) && KINDS.some(([has]) => has(value));
}

/** What an object of a framework is. It may have to be awaited; undefined where it is none. */
function tellApplication(value) {
  return KINDS.find(([has]) => has(value))?.[1](value);
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
  const kinds = KINDS.filter((_kind, at) => number !== EVENT && (at === 0) === (number === FETCH));
  const kind = kinds.find(([has]) => has(value));
  if (kind !== undefined) {
    return kind[1](value);
  }
  return isFunction(value) ? told(number, value) : undefined;
}

/**
 * What an export is: `{ interface, callee }`, or a promise of it; undefined where it is no handler.
 *
 * @param {string | undefined} wanted the interface's name, where somebody has said it
 */
export function tell(value, wanted) {
  if (!isObject(value)) {
    return undefined;
  }
  if (wanted !== undefined) {
    const number = NUMBERS[wanted];
    return number !== EVENT && isPromise(value) ? awaited(value, wanted) : tellAs(value, number);
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

/** What a promise is of. One of a function of events is no handler, as on Lambda. */
async function awaited(value, wanted) {
  const found = await tell(await value, wanted);
  return found?.interface === EVENT ? undefined : found;
}
