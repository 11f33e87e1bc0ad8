// Mends the script behind `node:child_process`; see build.rs. `made` is what it has made.

const { ERR_INVALID_ARG_VALUE, ERR_INVALID_SYNC_FORK_INPUT } = __bootstrap.core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
);

/** What every `stdio` may be, as an array of Deno's. Deno takes some of what it does not know for something else. */
const stdioOf = (stdio, isSync) => {
  if (!stdio) {
    return undefined;
  }
  if (typeof stdio === "string" ? !["ignore", "inherit", "overlapped", "pipe"].includes(stdio) : !Array.isArray(stdio)) {
    throw new ERR_INVALID_ARG_VALUE("stdio", stdio);
  }
  return typeof stdio === "string" ? stdio : Array.from(stdio, (one, place) => {
    switch (typeof one) {
      case "string":
        if (!isSync && !["ignore", "inherit", "ipc", "overlapped", "pipe"].includes(one)) {
          throw new ERR_INVALID_SYNC_FORK_INPUT(`'${one}'`);
        }
        return one;
      case "number":
        return one;
      case "undefined":
        return place < 3 ? undefined : "ignore";
      case "object":
        if (one === null) {
          return place < 3 ? null : "ignore";
        }
        if (typeof one.pipe === "function" || typeof one.write === "function") {
          return one;
        }
        if (typeof one.fd === "number") {
          return one.fd;
        }
    }
    throw new ERR_INVALID_ARG_VALUE("stdio", one);
  });
};

/** The options of a method that leaves what is no object to the other checks. */
const checked = (options, isSync) =>
  options?.stdio === undefined
    ? options
    : { __proto__: null, ...options, stdio: stdioOf(options.stdio, isSync) };

// Messages become JSON as `JSON.stringify` makes it, what cannot be sent is thrown where it is sent, and nothing that was
// sent is lost when the sender ends or disconnects.
const { spawn } = made.ChildProcess.prototype;
made.ChildProcess.prototype.spawn = {
  spawn(options) {
    const start = (options) => Reflect.apply(spawn, this, [options]);
    return __bootstrap.internals.trineStartChild(this, checked(options, false), start);
  },
}.spawn;

const { spawnSync } = made;
made.spawnSync = made.default.spawnSync = (options) => {
  const { internals } = __bootstrap;
  internals.trineRefusal = undefined;
  const result = spawnSync(checked(options, true));
  // Deno's script drops the error of a program that may not run.
  const refusal = internals.trineRefusal;
  if (refusal !== undefined) {
    Object.assign(result, { error: refusal, status: null, signal: null });
  }
  return result;
};
