// Servers that a module starts while it is loaded for its handler: an application's own server listens to nobody, but its
// listener becomes the handler. Servers of functions that take events do listen.
import { core, internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { FETCH, isServer, listenerOf, NODE, pair } from "ext:trine_prelude/interfaces.js";

/** Nothing is held back. */
const OFF = 0;
/** A module is loaded, and has started no server yet. */
const UNDECIDED = 1;
/** Servers wait until it is clear what the module's handler is. */
const HOLDING = 2;
/** They only seem to listen. */
const PRETENDING = 3;

let mode = OFF;
let held = [];
let whenHeld;
let hasServers = false;
/** The application that the handler is, whose servers do not listen when they are started later either. */
let application;

/** Gives what was there before listeners for `fetch` could be added, as workers of the older kind do it. */
let unlisten;

/**
 * Begins to hold servers back.
 *
 * @param {string | undefined} wanted the interface, where somebody has said it
 * @param {boolean} isWorker whether the module's text shows that it listens for `fetch`
 */
export function beginLoad(wanted, isWorker) {
  if (isWorker && wanted !== "event") {
    listenForFetch();
  }
  if (wanted === "event") {
    mode = OFF;
  } else {
    mode = wanted === undefined ? UNDECIDED : PRETENDING;
  }
  held = [];
}

function decide() {
  if (mode !== UNDECIDED) {
    return;
  }
  if (!host.namesHandler()) {
    mode = PRETENDING;
    return;
  }
  mode = HOLDING;
  // The module may wait for its server before it exports a function that takes events.
  core.createTimer(() => mode === HOLDING && release(), 0, undefined, false, true, false);
}

/** What a server seems to have when it listens. */
class Handle {
  #address;

  constructor(args) {
    const given = args.find((value) => typeof value === "object" && value !== null) ?? {};
    const [first, second] = args;
    const port = Number(given.port ?? first);
    const name = given.host ?? (typeof second === "string" ? second : undefined);
    const address = name === undefined ? "::" : name === "localhost" ? "127.0.0.1" : String(name);
    this.#address = {
      address,
      family: address.includes(":") ? "IPv6" : "IPv4",
      port: Number.isInteger(port) && port > 0 ? port : 3000,
    };
  }

  getsockname(out) {
    Object.assign(out, this.#address);
    return 0;
  }

  close() {}
  ref() {}
  unref() {}
  hasRef() {
    return false;
  }
}

/** Lets the module add a listener for `fetch`, which becomes its handler. */
function listenForFetch() {
  const before = Object.getOwnPropertyDescriptor(globalThis, "addEventListener");
  const others = globalThis.addEventListener;
  Object.defineProperty(globalThis, "addEventListener", {
    value: {
      addEventListener(type, listener, options) {
        if (type === "fetch") {
          held.push({ fetch: answersEvents(listener) });
        } else if (typeof others === "function") {
          Reflect.apply(others, globalThis, [type, listener, options]);
        }
      },
    }.addEventListener,
    writable: true,
    configurable: true,
  });
  unlisten = () =>
    before === undefined
      ? delete globalThis.addEventListener
      : Object.defineProperty(globalThis, "addEventListener", before);
}

/** A function of requests that tells a listener for `fetch` of them. */
function answersEvents(listener) {
  return (request, context) => {
    let answer;
    const event = {
      type: "fetch",
      request,
      respondWith(response) {
        if (answer !== undefined) {
          throw new TypeError("the request was answered already: respondWith can be called once");
        }
        answer = [response];
      },
      waitUntil: (promise) => context.waitUntil(promise),
      passThroughOnException: () => context.passThroughOnException(),
    };
    typeof listener === "function" ? listener(event) : listener.handleEvent(event);
    if (answer === undefined) {
      throw new TypeError("the listener for fetch has not called event.respondWith");
    }
    return answer[0];
  };
}

function callbackOf(args) {
  const last = args.at(-1);
  return typeof last === "function" ? last : undefined;
}

function pretend(entry) {
  const { server, args, tracking } = entry;
  server.removeListener("listening", tracking);
  server._handle = new Handle(args);
  const callback = callbackOf(args);
  if (callback !== undefined) {
    server.once("listening", callback);
  }
  entry.pretends = true;
  globalThis.process.nextTick(() => server.emit("listening"));
}

/**
 * Called when a server is to listen. Returns whether it is held back.
 *
 * @param {Function} tracking its listener that watches over connections, of which there will be none
 * @param {() => void} listen has it listen after all
 */
function hold(server, args, tracking, listen) {
  if (mode === OFF) {
    if (application === undefined || !isOfApplication(server)) {
      return false;
    }
    pair(application, server);
    pretend({ server, args, tracking });
    return true;
  }
  decide();
  const entry = { server, args, tracking, listen, pretends: false };
  held.push(entry);
  if (mode === PRETENDING) {
    pretend(entry);
  }
  whenHeld?.();
  return true;
}

const isOfApplication = (server) => server.listeners("request").includes(application);

/** Lets `Deno.serve` be held back. What is behind it is loaded when it is asked for. */
export function trapServe() {
  const descriptor = Object.getOwnPropertyDescriptor(Deno, "serve");
  const serve = (args) => (descriptor.value ?? Reflect.apply(descriptor.get, Deno, []))(...args);
  Object.defineProperty(Deno, "serve", {
    value: {
      serve(...args) {
        const options = args.find((value) => typeof value === "object" && value !== null);
        const handler = args.find((value) => typeof value === "function") ?? options?.handler;
        return typeof handler === "function" && holdDeno(handler, options) || serve(args);
      },
    }.serve,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Holds a handler of `Deno.serve` back. Returns what that returns, or undefined where it is to be called. */
function holdDeno(handler, options) {
  hasServers = true;
  if (mode === OFF) {
    return undefined;
  }
  decide();
  if (mode === HOLDING) {
    release();
    return undefined;
  }
  const addr = {
    transport: "tcp",
    hostname: options?.hostname ?? "0.0.0.0",
    port: options?.port ?? 8000,
  };
  held.push({ fetch: (request, context) => handler(request, context.info) });
  if (typeof options?.onListen === "function") {
    options.onListen(addr);
  }
  whenHeld?.();
  let finish;
  const finished = new Promise((resolve) => finish = resolve);
  const shutdown = async () => finish();
  return { addr, finished, shutdown, ref() {}, unref() {}, [Symbol.asyncDispose]: shutdown };
}

/** Has the servers listen that were held back: the module is none of an application. */
function release() {
  mode = OFF;
  const entries = held;
  held = [];
  for (const { server, args, tracking, listen, pretends } of entries) {
    if (server === undefined) {
      continue;
    }
    if (pretends) {
      if (!server.listening) {
        continue;
      }
      server._handle = null;
      server.on("listening", tracking);
      const callback = callbackOf(args);
      Reflect.apply(listen, server, callback === undefined ? args : args.slice(0, -1));
      continue;
    }
    Reflect.apply(listen, server, args);
  }
}

/** The handler of a module takes events. */
export function hasEvents() {
  release();
}

/** The handler is a web application. Its servers only seem to listen. */
export function hasApplication(callee) {
  for (const entry of held) {
    if (entry.server !== undefined && !entry.pretends) {
      pretend(entry);
    }
  }
  const own = held.filter(({ server }) => server !== undefined);
  const ofApplication = own.find(({ server }) => server.listeners("request").includes(callee));
  const paired = ofApplication ?? (own.length === 1 ? own[0] : undefined);
  if (paired !== undefined) {
    pair(callee, paired.server);
  }
  application = callee;
  mode = OFF;
  held = [];
}

/** What the module has started that can be its handler: `{ interface, callee }`. */
export function heldApplication() {
  const found = held.filter(({ server, fetch }) => fetch !== undefined || isServer(server));
  if (found.length === 0) {
    return undefined;
  }
  if (found.length > 1) {
    host.warn(
      `the module starts ${found.length} servers: the first one is its handler, the others get no requests`,
    );
  }
  const [{ server, fetch }] = found;
  if (server !== undefined) {
    return { interface: NODE, callee: listenerOf(server) };
  }
  return { interface: FETCH, callee: (request, _env, context) => fetch(request, context) };
}

/** Settles when the module has started a server; for modules whose work goes on when they are loaded. */
export function untilHeld() {
  mode = mode === UNDECIDED || mode === HOLDING ? PRETENDING : mode;
  return new Promise((resolve) => whenHeld = resolve);
}

/** Whether the module can start a server at all: it has loaded what can. */
export function knowsServers() {
  return hasServers;
}

/** Has those who wait for a server wait no longer. */
export function giveUp() {
  whenHeld?.();
}

export function endLoad() {
  unlisten?.();
  unlisten = undefined;
  mode = OFF;
  held = [];
  whenHeld = undefined;
}

/** What `node:http` and `node:https` call when they are loaded. */
internals.trineMendServer = ({ Server, setupConnectionsTracking }) => {
  hasServers = true;
  const { listen } = Server.prototype;
  Server.prototype.listen = {
    listen(...args) {
      return hold(this, args, setupConnectionsTracking, listen)
        ? this
        : Reflect.apply(listen, this, args);
    },
  }.listen;
};
