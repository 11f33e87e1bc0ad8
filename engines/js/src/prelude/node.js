// The polyfills that an ordinary CommonJS handler touches, evaluated while the snapshot is made.
//
// Left out on purpose: `node:crypto` makes native objects while it loads, which a snapshot cannot hold, and
// `node:http` and `node:https` depend on it.
import { internals } from "ext:core/mod.js";
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
import "node:module";
import "node:net";
import "node:os";
import "node:querystring";
import "node:string_decoder";
import "node:assert";
import "node:zlib";
import "node:tls";

// Evaluated in the snapshot, `node:process` could not set itself up with the facts of the process that will run. This
// does it then.
const bootstrap = globalThis.nodeBootstrap;
delete globalThis.nodeBootstrap;
internals.trineStartNode = () => bootstrap(internals.__nodeBootstrapArgs);
