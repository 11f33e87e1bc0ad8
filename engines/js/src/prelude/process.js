// Node's `process`, which is loaded when it is first asked for: lets others see it then.
import { core, internals } from "ext:core/mod.js";

const watchers = [];

/** Calls back with `process` when it has been set up, before anybody uses it. */
export function whenProcessStarts(watcher) {
  watchers.push(watcher);
}

let start;

function startWatched(...facts) {
  // It hands itself to the console, which is the first that anybody sees of it.
  const console = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  const { bindStreamsLazy } = console;
  console.bindStreamsLazy = (target, process) => {
    bindStreamsLazy(target, process);
    for (const watcher of watchers) {
      watcher(process);
    }
  };
  try {
    start(...facts);
  } finally {
    console.bindStreamsLazy = bindStreamsLazy;
  }
}

Object.defineProperty(internals, "__bootstrapNodeProcess", {
  configurable: true,
  get: () => start && startWatched,
  set(given) {
    start = given;
  },
});
