// Keeps async contexts where Deno's runtime loses them: native code calls back without one. What is called for a handle
// (a socket, a pipe) runs in the context in which the handle was made, as in Node.
import { core, internals } from "ext:core/mod.js";

const { signalAbort } = core.loadExtScript("ext:deno_web/03_abort_signal.js");

/** Where a handle keeps its context. */
const kContext = Symbol("context");

/** `callback`, to be run in this context. */
function within(context, callback) {
  return function (...args) {
    const previous = core.getAsyncContext();
    core.setAsyncContext(context);
    try {
      return Reflect.apply(callback, this, args);
    } finally {
      core.setAsyncContext(previous);
    }
  };
}

/** Notes the context of a handle: the current one, unless it has one. */
function adopt(handle) {
  if (!(kContext in handle)) {
    handle[kContext] = core.getAsyncContext();
  }
  return handle[kContext];
}

/** Lets callbacks that are assigned to handles as these members run in the handles' contexts. */
function keepCallbacks(prototype, names) {
  for (const name of names) {
    const key = Symbol(name);
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get() {
        return this[key];
      },
      set(callback) {
        this[key] = typeof callback === "function" ? within(adopt(this), callback) : callback;
      },
    });
  }
}

/** Lets the callbacks of methods that take one as their last argument run in the handles' contexts. */
function keepArguments(prototype, names) {
  for (const name of names) {
    const method = prototype[name];
    prototype[name] = function (...args) {
      const last = args.length - 1;
      if (typeof args[last] === "function") {
        args[last] = within(adopt(this), args[last]);
      }
      return Reflect.apply(method, this, args);
    };
  }
}

/** Lets requests, which methods take as their first argument, complete in the context in which they were made. */
function keepRequests(prototype, names) {
  for (const name of names) {
    const method = prototype[name];
    prototype[name] = function (request, ...args) {
      const { oncomplete } = request;
      if (typeof oncomplete === "function") {
        request.oncomplete = within(core.getAsyncContext(), oncomplete);
      }
      return Reflect.apply(method, this, [request, ...args]);
    };
  }
}

const { timeout } = AbortSignal;
Object.defineProperty(AbortSignal, "timeout", {
  ...Object.getOwnPropertyDescriptor(AbortSignal, "timeout"),
  value: {
    timeout(...args) {
      const signal = Reflect.apply(timeout, AbortSignal, args);
      signal[signalAbort] = within(core.getAsyncContext(), signal[signalAbort]);
      return signal;
    },
  }.timeout,
});

/**
 * Lets what callbacks of `node:timers` throw be known by the contexts in which they run: it is reported when these are left.
 */
internals.trineMendTimers = ({ Immediate, Timeout }) => {
  const createTimer = Object.getOwnPropertySymbols(Timeout.prototype).find(({ description }) =>
    description === "createTimer"
  );
  const create = Timeout.prototype[createTimer];
  Timeout.prototype[createTimer] = function () {
    const id = Reflect.apply(create, this, []);
    this._timer._onTimeout = noting(this._timer._onTimeout);
    return id;
  };
  // The constructor calls it before the callback is queued.
  const { ref } = Immediate.prototype;
  Immediate.prototype.ref = function () {
    if (!noted.has(this._onImmediate)) {
      this._onImmediate = noting(this._onImmediate);
    }
    return Reflect.apply(ref, this, []);
  };
};

const noted = new WeakSet();

/** The context in which the last callback was run that has thrown, until it is taken. */
let thrownIn;

/** `callback`, noting the current context, which is its own, where it throws: it is reported in another one. */
function noting(callback) {
  const context = core.getAsyncContext();
  const noting = function (...args) {
    try {
      return Reflect.apply(callback, this, args);
    } catch (error) {
      thrownIn = context;
      throw error;
    }
  };
  noted.add(noting);
  return noting;
}

const { queueMicrotask } = globalThis;
Object.defineProperty(globalThis, "queueMicrotask", {
  ...Object.getOwnPropertyDescriptor(globalThis, "queueMicrotask"),
  value: {
    queueMicrotask(callback) {
      queueMicrotask(typeof callback === "function" ? noting(within(core.getAsyncContext(), callback)) : callback);
    },
  }.queueMicrotask,
});

/** Takes the context of the code that has just thrown what nobody catches. */
export function takeThrownIn() {
  const context = thrownIn ?? core.getAsyncContext();
  thrownIn = undefined;
  return context;
}

internals.trineContext = { adopt, keepArguments, keepCallbacks, keepRequests, within };
