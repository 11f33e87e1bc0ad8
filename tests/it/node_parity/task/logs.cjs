// What is logged: each function is a case.
const util = require("node:util");

class Custom extends Error {
  constructor(message) {
    super(message);
    this.name = "CustomName";
    this.code = "E_CUSTOM";
  }
}
class Point {
  constructor() {
    this.x = 1;
  }
}
const cycle = () => {
  const object = { name: "a" };
  object.self = object;
  return object;
};
const make = (message) => new Error(message);

const table = {
  text: () => console.log("text"),
  levels: () => {
    for (const level of ["trace", "debug", "info", "log", "warn", "error"]) {
      console[level](`at ${level}`);
    }
  },
  fatal: () => console.fatal ? console.fatal("at fatal") : console.log("no fatal"),
  nothing: () => console.log(),
  empty: () => console.log(""),
  undefined: () => console.log(undefined),
  null: () => console.log(null),
  number: () => console.log(42),
  minusZero: () => console.log(-0),
  bigint: () => console.log(10n),
  boolean: () => console.log(true),
  symbol: () => console.log(Symbol("s")),
  function: () => console.log(function named() {}),
  class: () => console.log(class Made extends Error {}),
  several: () => console.log("a", 1, { b: 2 }, [3], null, undefined),
  format: () => console.log("%s is %d and %i, %f, %j, %o, %O, %c%%", "a", 1.5, 2.7, "3.1", { a: 1 }, { b: [1] }, { c: 1 }, "css"),
  formatMissing: () => console.log("%s %d"),
  formatExtra: () => console.log("%s", "a", "b", 3),
  formatPercent: () => console.log("100%", "a"),
  formatSymbol: () => console.log("%s", Symbol("s")),
  formatBigint: () => console.log("%d %i", 10n, 11n),
  formatObject: () => console.log("%s", { toString: () => "own text" }),
  formatError: () => console.log("%s", new RangeError("in a format")),
  formatOnly: () => console.log("%s"),
  object: () => console.log({ a: 1, nested: { b: { c: { d: { e: 1 } } } } }),
  objectLong: () => console.log(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key${index}`, index]))),
  array: () => console.log([1, "two", { three: 3 }]),
  arrayLong: () => console.log(Array.from({ length: 150 }, (_, index) => index)),
  sparse: () => console.log([1, , 3]),
  map: () => console.log(new Map([["a", { b: 1 }]])),
  set: () => console.log(new Set([1, "two"])),
  date: () => console.log(new Date(0)),
  regExp: () => console.log(/a/g),
  buffer: () => console.log(Buffer.from("abc")),
  typed: () => console.log(new Uint8Array([1, 2])),
  promise: () => console.log(Promise.resolve(1), new Promise(() => {})),
  proxy: () => console.log(new Proxy({ a: 1 }, {})),
  instance: () => console.log(new Point()),
  nullPrototype: () => console.log(Object.assign(Object.create(null), { a: 1 })),
  getter: () => console.log({
    get value() {
      return 1;
    },
  }),
  custom: () => console.log({ [util.inspect.custom]: () => "custom text" }),
  toJSON: () => console.log({ toJSON: () => ({ own: "form" }) }),
  toJSONThrows: () => console.log({
    toJSON() {
      throw new Error("in toJSON");
    },
  }),
  cycle: () => console.log(cycle()),
  cycleSeveral: () => console.log("cycle", cycle()),
  bigintInside: () => console.log({ n: 1n }),
  undefinedInside: () => console.log({ u: undefined, f() {}, s: Symbol("s") }),
  url: () => console.log(new URL("https://example.com/a?b=c")),
  headers: () => console.log(new Headers({ a: "1" })),
  boxed: () => console.log(new String("boxed"), new Number(1)),
  jsonText: () => console.log('{"level": "ERROR", "message": "looks like JSON"}'),
  jsonString: () => console.log(JSON.stringify({ a: 1 })),
  lines: () => console.log("first\nsecond\r\nthird\n"),
  linesInside: () => console.log({ text: "first\nsecond" }),
  tabs: () => console.log("a\tb"),
  unicode: () => console.log("Größe 😀 \u2028"),
  surrogate: () => console.log("half \ud83d of"),
  control: () => console.log("a\u0000b\u001bc"),
  long: () => console.log("x".repeat(3000)),
  error: () => console.error(make("logged")),
  errorInfo: () => console.log(make("logged at info")),
  errorCustom: () => console.error(new Custom("custom")),
  errorCode: () => console.error(Object.assign(make("coded"), { code: "E", status: 5 })),
  errorText: () => console.error("it failed:", make("second")),
  errorFirst: () => console.error(make("first"), "then text"),
  errorTwo: () => console.error(make("one"), new TypeError("two")),
  errorInside: () => console.error({ error: make("inside"), id: 1 }),
  errorDeep: () => console.error({ list: [{ error: make("deep") }] }),
  errorCause: () => console.error(new Error("outer", { cause: new TypeError("inner") })),
  errorAggregate: () => console.error(new AggregateError([make("one"), "two"], "several")),
  errorNoStack: () => console.error(Object.assign(make("no stack"), { stack: undefined })),
  errorStackText: () => console.error(Object.assign(make("own stack"), { stack: "own" })),
  errorMessageChanged: () => console.error(Object.assign(make("before"), { message: "after" })),
  errorNameChanged: () => console.error(Object.assign(make("named"), { name: "Renamed" })),
  errorDom: () => console.error(new DOMException("dom", "AbortError")),
  errorAlike: () => console.error({ name: "Alike", message: "like", stack: "Alike: like\n    at x" }),
  errorCycle: () => {
    const error = make("circular");
    error.self = error;
    console.error(error);
  },
  errorBigint: () => console.error(Object.assign(make("big"), { n: 1n })),
  errorStackProperty: () => console.log(make("stack").stack),
  errorMessageProperty: () => console.log(make("message").message),
  errorOtherRealm: () => console.error(require("node:vm").runInNewContext("new TypeError('other realm')")),
  errorSystem: () => {
    try {
      require("node:fs").readFileSync("/absent");
    } catch (error) {
      console.error(error);
    }
  },
  warnError: () => console.warn(make("warned")),
  dir: () => console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 }),
  dirBare: () => console.dir({ a: 1 }),
  dirxml: () => console.dirxml({ a: 1 }, [2]),
  table: () => console.table([{ a: 1, b: "x" }, { a: 2, c: true }]),
  tableColumns: () => console.table([{ a: 1, b: 2 }], ["b"]),
  tableText: () => console.table("text"),
  group: () => {
    console.group("outer");
    console.log("inside");
    console.group();
    console.warn("deeper");
    console.groupEnd();
    console.groupEnd();
    console.log("outside");
  },
  groupCollapsed: () => {
    console.groupCollapsed("collapsed");
    console.log("two\nlines");
    console.groupEnd();
  },
  count: () => {
    console.count();
    console.count();
    console.count("named");
    console.countReset();
    console.count();
  },
  countResetUnknown: () => console.countReset("unknown"),
  assertTrue: () => console.assert(true, "unseen"),
  assertFalse: () => console.assert(false, "seen %s", "formatted"),
  assertBare: () => console.assert(false),
  assertObject: () => console.assert(false, { a: 1 }),
  timeEndUnknown: () => console.timeEnd("unknown"),
  timeTwice: () => {
    console.time("twice");
    console.time("twice");
  },
  trace: () => console.trace("traced"),
  traceObject: () => console.trace({ a: 1 }),
  stdout: () => {
    process.stdout.write("raw ");
    process.stdout.write("text\n");
  },
  stdoutBytes: () => {
    process.stdout.write(Buffer.from("bytes\n"));
  },
  stdoutCallback: () => new Promise((resolve) => process.stdout.write("with callback\n", resolve)),
  stdoutReturns: () => typeof process.stdout.write("x\n"),
  fsWrite: () => {
    require("node:fs").writeSync(1, "by descriptor\n");
  },
  consoleClass: () => {
    const { Console } = require("node:console");
    new Console(process.stdout).log("by a console of its own %s", "formatted");
  },
  consoleGlobal: () => [console === require("node:console"), console === globalThis.console],
  unbound: () => {
    const { log, error } = console;
    log("unbound");
    error("unbound");
  },
  asCallback: () => [1, 2].forEach(console.log),
  replaced: () => {
    const { log } = console;
    console.log = (...given) => log("[mine]", ...given);
    console.log("replaced");
    console.log = log;
  },
  names: () => Object.keys(console).sort().filter((name) => !["context", "createTask"].includes(name)),
  levelNames: () => [console.log.name, console.info.name, console.error.name, console.log.length],
  same: () => [console.log === console.info, console.warn === console.error, console.debug === console.log],
  afterAwait: async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    console.log("after await");
  },
  inTimer: () => new Promise((resolve) => setTimeout(() => {
    console.log("in a timer");
    resolve();
  }, 1)),
  inTick: () => new Promise((resolve) => process.nextTick(() => {
    console.log("in a tick");
    resolve();
  })),
  inEmitter: () => new Promise((resolve) => {
    const emitter = new (require("node:events"))();
    emitter.on("x", (value) => {
      console.log("heard", value);
      resolve();
    });
    emitter.emit("x", { a: 1 });
  }),
  inspectColors: () => console.log(util.inspect({ a: "text" }, { colors: true })),
  inspectDepth: () => console.log(util.inspect({ a: { b: { c: { d: 1 } } } }, false, null)),
  debuglog: () => util.debuglog("nothing")("unseen"),
  ownLevel: () => console.log({ level: "FATAL", timestamp: "mine", requestId: "mine", message: "mine" }),
  messageMember: () => console.log({ message: "in a member", extra: 1 }),
};

// Tells whose lines of the log follow.
const mark = (event) => process.stdout.write(`-- ${event.do}\n`);

exports.handler = async (event) => {
  mark(event);
  return table[event.do]();
};
exports.names = Object.keys(table);
