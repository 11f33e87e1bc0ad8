// The end of an isolate: what Node's `process` tells those who listen for it.
import { core, internals } from "ext:core/mod.js";
import { Failure } from "ext:trine_prelude/errors.js";
import { whenProcessStarts } from "ext:trine_prelude/process.js";

let process;

whenProcessStarts((started) => {
  process = started;
});

function telling(tell) {
  return () => {
    // The end belongs to no invocation.
    core.setAsyncContext(undefined);
    try {
      return tell();
    } catch (thrown) {
      return new Failure(thrown, undefined, false);
    }
  };
}

/** The event loop is empty. Whether its listeners have put something into it. */
export const beforeExit = telling(() => {
  if (process === undefined || process.listenerCount("beforeExit") === 0) {
    return false;
  }
  process.emit("beforeExit", process.exitCode ?? 0);
  core.processTicksAndRejections();
  return core.eventLoopHasMoreWork();
});

/** The isolate ends. */
export const exit = telling(() => {
  internals.dispatchProcessExitEvent?.();
  return [];
});
