// Entry of the prelude: gives Rust the functions that it calls, once, and leaves no trace in the global scope.
import { core, internals } from "ext:core/mod.js";
import { installConsole, redirectOutputs } from "ext:trine_prelude/console.js";
import { setHost } from "ext:trine_prelude/context.js";
import { exit, trapSignals } from "ext:trine_prelude/exits.js";
import {
  adopt,
  again,
  idle,
  invoke,
  load,
  programEnd,
  stringify,
  stringifyPlain,
  warn,
  wrap,
} from "ext:trine_prelude/invoke.js";

const os = core.loadExtScript("ext:deno_os/30_os.js");

/**
 * Called by Rust when an isolate has been started from a snapshot.
 *
 * @param {object} host what the process offers: `log(level, line)`, `write(toStderr, bytes)`, `exit(code, slot)`,
 *   `import(url)`, `context.state` and the facts of the function and of the log's form
 * @param {boolean} isThread whether this is a worker thread of a guest's: an exit is its own end then
 * @returns the functions that Rust calls from then on
 */
function start(host, isThread) {
  setHost(host);
  if (!isThread) {
    os.setExitHandler(exit);
  }
  trapSignals();
  redirectOutputs(host);
  internals.trineStartNode?.();
  installConsole(host);
  return {
    load,
    invoke,
    again,
    wrap,
    warn,
    idle,
    adopt,
    stringify,
    stringifyPlain,
    programEnd,
    hasWork: core.eventLoopHasMoreWork,
  };
}

globalThis.__trineStart = start;
