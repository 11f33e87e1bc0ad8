// Node's `process`, which is loaded when it is first asked for: lets others see it then.
import { core, internals } from "ext:core/mod.js";

const watchers = [];

/** Calls back with `process` when it has been set up, before anybody uses it. */
export function whenProcessStarts(watcher) {
  watchers.push(watcher);
}

/** V8 is built with ICU, which Deno's account of the build leaves out: programs look there for whether `Intl` is whole. */
function completeConfig(process) {
  const { get } = Object.getOwnPropertyDescriptor(process, "config");
  let config;
  Object.defineProperty(process, "config", {
    get() {
      if (config === undefined) {
        const given = Reflect.apply(get, process, []);
        const variables = Object.freeze({ ...given.variables, v8_enable_i18n_support: 1 });
        config = Object.freeze({ ...given, variables });
      }
      return config;
    },
    enumerable: true,
    configurable: true,
  });
}

/** The effective group is one of the groups, also where the system's list of others is empty. */
function completeGroups(process) {
  const { getgroups, getegid } = process;
  process.getgroups = {
    getgroups() {
      const [groups, own] = [Reflect.apply(getgroups, process, []), Reflect.apply(getegid, process, [])];
      return groups.includes(own) ? groups : [...groups, own];
    },
  }.getgroups;
}

whenProcessStarts(completeConfig);
whenProcessStarts(completeGroups);

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
