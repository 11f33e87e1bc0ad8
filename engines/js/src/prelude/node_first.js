// What has to be mended before anything of Node's is evaluated for the snapshot.
import { core, internals } from "ext:core/mod.js";

internals.trineMendCallbacks(core.loadExtScript("ext:deno_node/_fs/_fs_common.ts"));
