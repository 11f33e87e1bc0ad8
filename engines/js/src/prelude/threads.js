// Worker threads of Node: an error that ends one arrives with the stack that it had there.
import { core, internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";

function watch() {
  const { Worker } = core.loadExtScript("ext:deno_node/worker_threads.ts");
  const { emit } = Worker.prototype;
  Object.defineProperty(Worker.prototype, "emit", {
    configurable: true,
    writable: true,
    value(name, ...given) {
      const [error] = given;
      if (name === "error" && error instanceof Error && error.stack === undefined) {
        // Without one, the thread has not said more than the message.
        error.stack = host.threadStack(this.threadId) ?? String(error);
      }
      return emit.call(this, name, ...given);
    },
  });
}

let start;

// Set while Node's module is being evaluated, and by nothing else.
Object.defineProperty(internals, "__initWorkerThreads", {
  configurable: true,
  get: () => start,
  set(given) {
    start = given;
    Promise.resolve().then(watch);
  },
});
