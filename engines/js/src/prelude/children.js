// `node:child_process` where Deno's differs from Node's without a word.
import { core, internals } from "ext:core/mod.js";
import { startChild, startWithChannel } from "ext:trine_prelude/channels.js";

/** How long messages may stay away once the child has ended: another process may hold its end of the channel. */
const PATIENCE = 1000;

/** For the mend of the script behind `node:child_process`. */
internals.trineStartChild = startChild;

/** Called with what Deno's script has made when it is loaded, which is when it is first asked for; see build.rs. */
internals.trineMendProcesses = (process) => {
  const { nodeSpawnChild, nodeSpawnSyncChild } = process;
  // The global ones may be the guest's own.
  const { setTimeout, clearTimeout } = core.loadExtScript("ext:deno_web/02_timers.js");
  // A child gets the variables that it is given, and no others.
  process.nodeSpawnSyncChild = (options) => {
    try {
      return nodeSpawnSyncChild({ ...options, clearEnv: true });
    } catch (error) {
      if (error?.name === "NotCapable") {
        internals.trineRefusal = error;
      }
      throw error;
    }
  };
  process.nodeSpawnChild = (command, options) => {
    const child = startWithChannel((options) => nodeSpawnChild(command, options), options);
    if (typeof child.ipcPipeRid === "number") {
      child.status = afterMessages(child.status, disconnection(), setTimeout, clearTimeout);
    }
    return child;
  };
};

/** A child's status, once what it has sent before its end has been read: the polyfill closes the channel then. */
async function afterMessages(status, disconnected, setTimeout, clearTimeout) {
  const ended = await status;
  let timer;
  const late = new Promise((resolve) => timer = setTimeout(resolve, PATIENCE));
  await Promise.race([disconnected, late]);
  clearTimeout(timer);
  return ended;
}

/** Takes the object of the child that is being started; undefined while none is. */
let take;
let isSubscribed = false;

/** The end of the channel to the child that is being started: reading it has come to its end, or one side has closed it. */
function disconnection() {
  if (!isSubscribed) {
    isSubscribed = true;
    const { channel } = core.loadExtScript("ext:deno_node/diagnostics_channel.js");
    channel("tracing:child_process.spawn:end").subscribe(({ process }) => {
      take?.(process);
      take = undefined;
    });
  }
  return new Promise((resolve) => take = (child) => child.once("disconnect", resolve));
}
