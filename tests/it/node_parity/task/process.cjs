// What a function sees of its process: each function is a case.
const os = require("node:os");
const path = require("node:path");

const OF_LAMBDA = /^(AWS_LAMBDA_(?!RUNTIME_API)|LAMBDA_TASK_ROOT|_HANDLER|_X_AMZN)/;
const atLoading = { cwd: process.cwd(), trace: process.env._X_AMZN_TRACE_ID, uptime: process.uptime() < 30 };

const table = {
  cwd: () => process.cwd(),
  atLoading: () => atLoading,
  argv1: () => [process.argv.length > 0, typeof process.argv[0], path.isAbsolute(process.argv[0])],
  argv0: () => typeof process.argv0,
  execArgv: () => Array.isArray(process.execArgv),
  execPath: () => path.isAbsolute(process.execPath),
  title: () => typeof process.title,
  platform: () => [process.platform, process.arch, os.EOL, path.sep],
  versions: () => ["node", "v8", "uv", "zlib", "openssl", "modules", "napi", "unicode", "icu", "ares", "llhttp", "brotli", "tz", "cldr"].map((name) => [name, typeof process.versions[name]]),
  version: () => [/^v\d+\.\d+\.\d+$/.test(process.version), process.version === `v${process.versions.node}`],
  release: () => [process.release.name, typeof process.release.lts],
  features: () => Object.keys(process.features).sort(),
  pid: () => [Number.isInteger(process.pid), Number.isInteger(process.ppid)],
  env: () => Object.keys(process.env).filter((name) => OF_LAMBDA.test(name)).sort(),
  envValues: () => Object.fromEntries(Object.entries(process.env).filter(([name]) => OF_LAMBDA.test(name)).sort()),
  envText: () => {
    process.env.SOME_NUMBER = 5;
    process.env.SOME_UNDEFINED = undefined;
    return [process.env.SOME_NUMBER, process.env.SOME_UNDEFINED, "SOME_NUMBER" in process.env, process.env.ABSENT];
  },
  envDelete: () => [delete process.env.SOME_NUMBER, process.env.SOME_NUMBER, delete process.env.ABSENT],
  envKeys: () => [Object.keys(process.env).includes("PATH"), Object.prototype.hasOwnProperty.call(process.env, "PATH"), typeof process.env.toString],
  envJson: () => typeof JSON.parse(JSON.stringify(process.env)).PATH,
  envChild: () => {
    process.env.FOR_CHILD = "given";
    return require("node:child_process").execSync("echo $FOR_CHILD").toString();
  },
  envSymbol: () => {
    try {
      process.env[Symbol("s")] = 1;
      return "taken";
    } catch (error) {
      return error.message;
    }
  },
  handlerVariable: () => process.env._HANDLER,
  telemetry: () => process.env._LAMBDA_TELEMETRY_LOG_FD,
  exitCode: () => [process.exitCode, (process.exitCode = 3, process.exitCode), (process.exitCode = undefined, process.exitCode)],
  exitCodeBad: () => {
    process.exitCode = "many";
  },
  umask: () => typeof process.umask(),
  ids: () => ["getuid", "geteuid", "getgid", "getegid", "getgroups"].map((name) => typeof process[name]),
  hrtime: () => [process.hrtime().length, typeof process.hrtime.bigint(), process.hrtime()[0] > 0],
  uptime: () => process.uptime() > 0,
  memory: () => Object.keys(process.memoryUsage()).sort(),
  memoryRss: () => typeof process.memoryUsage.rss(),
  cpu: () => Object.keys(process.cpuUsage()).sort(),
  resource: () => typeof process.resourceUsage().maxRSS,
  availableMemory: () => [typeof process.availableMemory?.(), typeof process.constrainedMemory?.()],
  stdin: () => [process.stdin.fd, process.stdout.fd, process.stderr.fd, process.stdout.isTTY, process.stdout.writable],
  tick: () => new Promise((resolve) => process.nextTick((...given) => resolve(given), 1, 2)),
  order: async () => {
    const order = [];
    const done = new Promise((resolve) => setTimeout(() => (order.push("timeout"), resolve()), 2));
    setImmediate(() => order.push("immediate"));
    process.nextTick(() => order.push("tick"));
    queueMicrotask(() => order.push("microtask"));
    Promise.resolve().then(() => order.push("then"));
    order.push("now");
    await done;
    return order;
  },
  orderAfterAwait: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const order = [];
    process.nextTick(() => order.push("tick"));
    Promise.resolve().then(() => order.push("then"));
    await new Promise((resolve) => setImmediate(resolve));
    return order;
  },
  timerObject: () => {
    const timer = setTimeout(() => {}, 1);
    clearTimeout(timer);
    return [typeof timer, timer.constructor.name, typeof timer.ref, typeof timer[Symbol.toPrimitive], typeof timer.refresh, timer.hasRef()];
  },
  timerUnref: () => {
    const timer = setTimeout(() => {}, 1e6).unref();
    const result = timer.hasRef();
    clearTimeout(timer);
    return result;
  },
  timerArguments: () => new Promise((resolve) => setTimeout((...given) => resolve(given), 1, "a", 2)),
  timersPromises: async () => [await require("node:timers/promises").setTimeout(1, "value"), await require("node:timers/promises").setImmediate("now")],
  interval: () => new Promise((resolve) => {
    let count = 0;
    const timer = setInterval(() => ++count === 3 && (clearInterval(timer), resolve(count)), 1);
  }),
  clearOdd: () => [clearTimeout(undefined), clearTimeout(null), clearTimeout("5"), clearInterval({}), clearImmediate(7)],
  listeners: () => ["uncaughtException", "unhandledRejection", "SIGTERM", "exit"].map((name) => process.listenerCount(name)),
  emitWarning: () => {
    process.emitWarning("a warning");
    return typeof process.emitWarning;
  },
  kill0: () => process.kill(process.pid, 0),
  killBad: () => process.kill(process.pid, "SIGNONSENSE"),
  chdir: () => {
    const before = process.cwd();
    process.chdir("/");
    const after = process.cwd();
    process.chdir(before);
    return [after, process.cwd() === before];
  },
  chdirBad: () => process.chdir("/absent"),
  config: () => [typeof process.config.variables, typeof process.config.target_defaults],
  binding: () => typeof process.binding,
  mainModule: () => [require.main === module, typeof require.main],
  dirname: () => [__dirname, __filename],
  moduleMembers: () => [module.id === __filename, module.filename === __filename, module.loaded, module.children.length >= 0, module.paths[0]],
  moduleParent: () => typeof module.parent,
  requireMembers: () => Object.keys(require).sort(),
  requireResolve: () => [require.resolve("./process.cjs"), require.resolve("fs"), require.resolve("node:fs")],
  requirePaths: () => require.resolve.paths("x")[0],
  requireCache: () => Object.keys(require.cache).includes(__filename),
  globals: () => ["Buffer", "URL", "fetch", "AbortController", "structuredClone", "queueMicrotask", "setImmediate", "performance", "crypto", "TextEncoder", "WebSocket", "Blob", "File", "FormData", "EventTarget", "BroadcastChannel", "MessageChannel", "CompressionStream", "ReadableStream", "navigator", "CustomEvent", "EventSource", "Storage", "localStorage", "gc", "window", "self", "Deno", "global", "GLOBAL", "alert", "Worker", "caches", "location"].map((name) => `${name} ${typeof globalThis[name]}`),
  globalKeys: () => Object.keys(globalThis).filter((name) => !["trine"].includes(name)).sort(),
  globalThisTag: () => Object.prototype.toString.call(globalThis),
  navigator: () => [navigator.userAgent.split("/")[0], navigator.hardwareConcurrency > 0, navigator.platform],
  performance: () => [typeof performance.now(), typeof performance.timeOrigin, typeof performance.eventLoopUtilization],
  timeZone: () => [new Date(0).getTimezoneOffset(), Intl.DateTimeFormat().resolvedOptions().locale],
  locale: () => (1234567.891).toLocaleString(),
  stackLimit: () => Error.stackTraceLimit,
  osMembers: () => [typeof os.hostname(), os.type(), os.homedir() === process.env.HOME || typeof os.homedir(), os.tmpdir(), os.endianness()],
  builtins: () => require("node:module").builtinModules.filter((name) => !name.startsWith("_") && !name.includes("/")).sort(),
  isBuiltin: () => ["fs", "node:fs", "node:test", "test", "node:sqlite", "sqlite", "node:sea"].map(require("node:module").isBuiltin),
};

exports.handler = async (event) => table[event.do]();
exports.names = Object.keys(table);
