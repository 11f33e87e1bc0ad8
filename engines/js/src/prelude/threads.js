// Worker threads of Node: an error that ends one arrives with the stack that it had there.
import { internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";

/** Called with the class when Node's module is loaded; see build.rs for the way there. */
internals.trineMendWorker = ({ prototype }) => {
  const { emit } = prototype;
  Object.defineProperty(prototype, "emit", {
    configurable: true,
    writable: true,
    value(name, ...given) {
      const [error] = given;
      if (name === "error" && error instanceof Error && error.stack === undefined) {
        // Without one, the thread has not said more than the message.
        error.stack = host.threadStack(this.threadId) ?? String(error);
      }
      return Reflect.apply(emit, this, [name, ...given]);
    },
  });
};
