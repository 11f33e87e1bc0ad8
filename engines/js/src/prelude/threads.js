// Worker threads of Node: an error that ends one arrives with the stack that it had there, and where nobody listens for it,
// it is an error of whoever started the thread.
import { core, internals } from "ext:core/mod.js";
import { currentMeta, host } from "ext:trine_prelude/context.js";

/** The error that ended a thread, where Deno's `Worker` has told nobody: it asks for listeners before. */
function unheard([name, message, stack]) {
  if (name === undefined) {
    // What was thrown is no error; of its value only the text is known.
    return new Error(message);
  }
  const Class = globalThis[name];
  const isClass = typeof Class === "function" && Class.prototype instanceof Error;
  const error = new (isClass ? Class : Error)(message);
  if (!isClass) {
    Object.defineProperty(error, "name", { value: name, writable: true, configurable: true });
  }
  error.stack = stack ?? String(error);
  return error;
}

/** Lets a thread belong to the invocation that starts it: its lines in the log bear that one's ids. */
function noteStarters(Worker) {
  const Emitter = Object.getPrototypeOf(Worker);
  // Stands between the class and the one that it extends: its constructor begins here.
  function Noting(...given) {
    const meta = currentMeta();
    host.startsThread(meta?.requestId, meta?.tenantId);
    return Reflect.construct(Emitter, given, new.target);
  }
  Noting.prototype = Emitter.prototype;
  Object.defineProperty(Noting, "name", { value: Emitter.name });
  Object.setPrototypeOf(Noting, Emitter);
  Object.setPrototypeOf(Worker, Noting);
}

/** Called with the class when Node's module is loaded; see build.rs for the way there. */
internals.trineMendWorker = (Worker) => {
  noteStarters(Worker);
  const { prototype } = Worker;
  const { emit } = prototype;
  Object.defineProperty(prototype, "emit", {
    configurable: true,
    writable: true,
    value(name, ...given) {
      const [error] = given;
      if (name === "error" && error instanceof Error && error.stack === undefined) {
        // Without one, the thread has not said more than the message.
        error.stack = host.threadError(this.threadId)?.[2] ?? String(error);
      }
      const ended = name === "exit" ? host.threadError(this.threadId) : undefined;
      if (ended !== undefined) {
        // What is thrown is uncaught, and comes to light before the end of the thread does.
        const { nextTick } = core.createLazyLoader("node:process")().default;
        nextTick(() => Reflect.apply(emit, this, ["error", unheard(ended)]));
        const { setTimeout } = core.loadExtScript("ext:deno_web/02_timers.js");
        setTimeout(() => Reflect.apply(emit, this, [name, ...given]), 0);
        return true;
      }
      return Reflect.apply(emit, this, [name, ...given]);
    },
  });
};
