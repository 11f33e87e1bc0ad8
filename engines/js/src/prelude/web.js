// Entry of the prelude: gives Rust the functions that it calls, once, and leaves no trace in the global scope.
import { core, internals } from "ext:core/mod.js";
// Before anything that is loaded with the class URL.
import "ext:trine_prelude/failures.js";
import "ext:trine_prelude/addons.js";
import "ext:trine_prelude/async_context.js";
import "ext:trine_prelude/callbacks.js";
import { hideAwslambda } from "ext:trine_prelude/awslambda.js";
import "ext:trine_prelude/children.js";
import { installConsole, redirectOutputs } from "ext:trine_prelude/console.js";
import { setHost } from "ext:trine_prelude/context.js";
import { beforeExit, exit } from "ext:trine_prelude/ending.js";
import { goOn, watchFailures } from "ext:trine_prelude/blame.js";
import { exit as exitByRequest, shareSignals, trapSignals } from "ext:trine_prelude/exits.js";
import { hideDeno, showDeno } from "ext:trine_prelude/flavour.js";
import { whenProcessStarts } from "ext:trine_prelude/process.js";
import { afterRestore, beforeSnapshot, hideSnapshot, replaceRandom } from "ext:trine_prelude/snapshot.js";
import { setSourceMaps } from "ext:trine_prelude/source_maps.js";
import { prepareStack } from "ext:trine_prelude/stack.js";
import "ext:trine_prelude/threads.js";
import {
  adopt,
  again,
  hearOfReader,
  idle,
  invoke,
  programEnd,
  stringify,
  stringifyPlain,
  warn,
  wrap,
} from "ext:trine_prelude/invoke.js";
import { load, noServer } from "ext:trine_prelude/loader.js";
import { hearOfBody, serve } from "ext:trine_prelude/serve.js";
import {
  failInterpreter,
  interpret,
  prepareInterpreter,
  startInterpreter,
  useNodeConsole,
} from "ext:trine_prelude/interpreter.js";
import { setWarnings, treatRejections } from "ext:trine_prelude/options.js";
import { preloadThread } from "ext:trine_prelude/preload.js";
import { setRules } from "ext:trine_prelude/rules.js";
import { trapServe } from "ext:trine_prelude/servers.js";

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
  setRules(host.rules);
  setSourceMaps(host.sourceMaps);
  if (host.warnings !== undefined) {
    setWarnings(host.warnings);
  }
  internals.trineServerCertificates = host.serverCertificates;
  internals.trineIsClosedByPeer = ({ _handle: handle }) => {
    const descriptor = (handle?._nativeTcpHandle ?? handle)?.fdForIpc?.();
    return descriptor !== undefined && host.isClosedByPeer(descriptor);
  };
  if (host.hidesAwslambda || host.isPlain || isThread) {
    hideAwslambda();
  }
  if (host.isPlain) {
    return startPlain(host, isThread);
  }
  if (!isThread) {
    nameMain();
    os.setExitHandler(exitByRequest);
  }
  trapSignals();
  trapServe();
  shareSignals();
  watchFailures();
  redirectOutputs(host);
  host.isDeno ? showDeno() : hideDeno(host);
  internals.trineStartNode?.();
  installConsole(host);
  useOptions(host, isThread);
  if (host.isSnapStart) {
    replaceRandom();
  }
  return {
    load,
    invoke,
    again,
    serve,
    hearOfBody,
    noServer,
    wrap,
    warn,
    idle,
    goOn,
    hearOfReader,
    adopt,
    stringify,
    stringifyPlain,
    programEnd,
    beforeExit,
    exit,
    beforeSnapshot,
    afterRestore,
    hasWork: core.eventLoopHasMoreWork,
    prepareStack,
  };
}

/**
 * `process.argv[1]` is what it is in Lambda's own runtime. It is not the handler's file: modules that are also programs run
 * as such where it is theirs.
 */
function nameMain() {
  whenProcessStarts((process) => {
    process.argv[1] = "/var/runtime/index.mjs";
  });
}

/** The same in a process that was started as Node, which no invocation runs in. */
function startPlain(host, isThread) {
  hideSnapshot();
  if (!isThread) {
    prepareInterpreter(host.interpreter);
  }
  host.isDeno ? showDeno() : hideDeno(host);
  internals.trineStartNode?.();
  if (isThread) {
    useNodeConsole();
  } else {
    startInterpreter(host.interpreter);
  }
  useOptions(host, isThread);
  return { interpret, fail: failInterpreter, prepareStack };
}

/** What `NODE_OPTIONS` asks for. */
function useOptions(host, isThread) {
  if (host.unhandledRejections !== undefined) {
    treatRejections(host.unhandledRejections);
  }
  if (host.stackTraceLimit !== undefined) {
    Error.stackTraceLimit = host.stackTraceLimit;
  }
  if (isThread && host.preloads !== undefined) {
    preloadThread();
  }
}

globalThis.__trineStart = start;
