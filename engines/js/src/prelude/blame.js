// Whose code it was that has failed where nobody catches it: invocations side by side must not fail for each other.
import { core, internals } from "ext:core/mod.js";
import { takeThrownIn } from "ext:trine_prelude/async_context.js";
import { host } from "ext:trine_prelude/context.js";

/** Lets the host know, before an error is made of what was thrown or rejected. */
export function watchFailures() {
  const { reportException } = core.loadExtScript("ext:deno_web/02_event.js");
  core.setReportExceptionCallback((value) => {
    const context = takeThrownIn();
    blame(context);
    if (!(globalThis.process?.listenerCount?.("uncaughtException") > 0)) {
      // Nothing may follow: the report ends the code that runs.
      reportException(value);
      return;
    }
    // What listeners log belongs to the invocation whose code has failed.
    const before = core.getAsyncContext();
    core.setAsyncContext(context ?? before);
    reportException(value);
    core.setAsyncContext(before);
  });
  // Deno's, while there are listeners.
  let ofListeners;
  Object.defineProperty(internals, "nodeProcessUnhandledRejectionCallback", {
    configurable: true,
    get: () => (event) => {
      blame(core.getAsyncContext());
      ofListeners?.(event);
    },
    set: (callback) => ofListeners = callback,
  });
}

/** Has timers looked at again: a failure ends the look at them where it stands. */
export function goOn() {
  // A timer of a time that no list of timers has yet sets the clock; of these one is.
  for (const time of [3, 7, 13]) {
    core.createTimer(() => {}, time, undefined, false, false, true);
  }
}

function blame(context) {
  const meta = context?.trine;
  if (meta !== undefined) {
    host.blame(meta.slot, meta.requestId);
  }
}
