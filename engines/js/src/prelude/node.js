// The polyfills that an ordinary CommonJS handler touches, evaluated while the snapshot is made.
//
// Left out on purpose: `node:crypto` makes native objects while it loads, which a snapshot cannot hold, and
// `node:http` and `node:https` depend on it.
import { core, internals } from "ext:core/mod.js";
import "ext:trine_node_prelude/node_first.js";
// First those that others load through lazy loaders while they are evaluated themselves. Loaded that way they would end up
// in the snapshot without their text, and V8 could not compile their functions later on.
import "ext:deno_node/_fs/_fs_copy.ts";
import "ext:deno_node/_fs/_fs_dir.ts";
import "ext:deno_node/_fs/_fs_exists.ts";
import "ext:deno_node/_fs/_fs_glob.ts";
import "ext:deno_node/_fs/_fs_lutimes.ts";
import "ext:deno_node/_fs/_fs_read.ts";
import "ext:deno_node/_fs/_fs_readdir.ts";
import "ext:deno_node/internal/fs/stat_utils.ts";
import "ext:deno_node/internal/fs/promises.ts";
import "ext:deno_node/internal/fs/streams.mjs";
import "node:fs/promises";
import "ext:deno_node/internal/streams/fast-utf8-stream.js";
import "ext:deno_web/locks.js";
import "node:process";
import "node:buffer";
import "node:stream";
import "node:util";
import "node:events";
import "node:path";
import "node:fs";
import "node:url";
import "node:timers";
import "node:async_hooks";
import Module from "node:module";
import "node:os";
import "node:querystring";
import "node:string_decoder";

internals.trineGuardAddons(Module);
internals.trineAddFolders(Module);
internals.trineMendTimers(core.loadExtScript("ext:deno_node/internal/timers.mjs"));
// As a script: evaluated now, the module of this name would give threads what was known of them now, which is nothing.
internals.trineMendWorker(core.loadExtScript("ext:deno_node/worker_threads.ts").Worker);

// Evaluated in the snapshot, `node:process` could not set itself up with the facts of the process that will run. This
// does it then.
internals.trineStartNode = () => {
  const bootstrap = globalThis.nodeBootstrap;
  delete globalThis.nodeBootstrap;
  // A thread of `node:worker_threads` has done it when it comes here, by the name that it had.
  if (internals.__nodeBootstrapArgs !== undefined) {
    bootstrap(internals.__nodeBootstrapArgs);
  }
};
