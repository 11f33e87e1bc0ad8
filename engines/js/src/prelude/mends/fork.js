// Mends the functions of `node:child_process`; see build.rs. `made` is what their script has made.

const { validateArray, validateObject } = __bootstrap.core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_INVALID_ARG_TYPE } = __bootstrap.core.loadExtScript("ext:deno_node/internal/errors.ts");

// What is no array has no end for Deno, which computes for ever then.
const { fork } = made;
made.fork = {
  fork(modulePath, args = [], options) {
    if (args === null) {
      args = [];
    } else if (typeof args === "object" && !Array.isArray(args)) {
      [args, options] = [[], args];
    } else {
      validateArray(args, "args");
    }
    if (options === undefined || options === null) {
      options = {};
    } else {
      validateObject(options, "options");
    }
    const { execArgv } = options;
    if (execArgv && !Array.isArray(execArgv)) {
      if (typeof execArgv[Symbol.iterator] !== "function") {
        throw new ERR_INVALID_ARG_TYPE("options.execArgv", "Array", execArgv);
      }
      options = { ...options, execArgv: [...execArgv] };
    }
    return fork(modulePath, args, options);
  },
}.fork;

for (const name of ["spawn", "spawnSync"]) {
  const start = made[name];
  made[name] = {
    [name](file, args, options) {
      if (args !== undefined && args !== null && typeof args !== "object") {
        throw new ERR_INVALID_ARG_TYPE("args", "object", args);
      }
      return start(file, args, options);
    },
  }[name];
}
