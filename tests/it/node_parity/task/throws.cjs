// What handlers throw: each function is a case.
const assert = require("node:assert");
const fs = require("node:fs");

class Custom extends Error {}
class Named extends Error {
  constructor(message) {
    super(message);
    this.name = "NamedByHand";
  }
}
class Coded extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
    this.details = { tries: 3, list: [1, "two"] };
  }
}
class WithJson extends Error {
  toJSON() {
    return { own: "form" };
  }
}
class WithGetter extends Error {
  get name() {
    return "FromGetter";
  }
  get message() {
    return "message of a getter";
  }
}
class Later extends Custom {
  name = "Later.Dotted";
}
const deep = (depth) => {
  if (depth === 0) {
    throw new RangeError("deep down");
  }
  deep(depth - 1);
};
const changed = (change, error = new Error("as made")) => {
  change(error);
  throw error;
};
const define = (name, descriptor) => (error) => Object.defineProperty(error, name, { configurable: true, ...descriptor });
const refuse = () => {
  throw new Error("a getter that throws");
};

const table = {
  error: () => {
    throw new Error("plain");
  },
  empty: () => {
    throw new Error();
  },
  typeError: () => {
    null.member;
  },
  typeErrorCall: () => {
    const object = {};
    object.method();
  },
  referenceError: () => {
    undeclared;
  },
  rangeError: () => {
    new Array(-1);
  },
  syntaxError: () => {
    JSON.parse("{");
  },
  uriError: () => {
    decodeURIComponent("%");
  },
  evalError: () => {
    throw new EvalError("eval");
  },
  regExpError: () => {
    new RegExp("(");
  },
  functionSyntax: () => {
    new Function("return ]");
  },
  constAssignment: () => {
    const a = 1;
    a = 2;
  },
  notIterable: () => {
    const [a] = {};
  },
  notConstructor: () => {
    new (() => {})();
  },
  bigintMix: () => {
    1n + 1;
  },
  symbolText: () => {
    `${Symbol("s")}`;
  },
  stackOverflow: () => {
    const f = () => f();
    f();
  },
  custom: () => {
    throw new Custom("custom");
  },
  named: () => {
    throw new Named("named");
  },
  later: () => {
    throw new Later("later");
  },
  coded: () => {
    throw new Coded("coded", "E_CODED");
  },
  codedNumber: () => {
    throw new Coded("coded by a number", 42);
  },
  withJson: () => {
    throw new WithJson("has toJSON");
  },
  withGetter: () => {
    throw new WithGetter("hidden");
  },
  aggregate: () => {
    throw new AggregateError([new Error("first"), "second", new TypeError("third")], "several");
  },
  aggregateEmpty: () => {
    throw new AggregateError([]);
  },
  promiseAny: () => Promise.any([Promise.reject(new Error("one")), Promise.reject(new Error("two"))]),
  cause: () => {
    throw new Error("outer", { cause: new TypeError("inner") });
  },
  causeText: () => {
    throw new Error("outer", { cause: "a text" });
  },
  causeObject: () => {
    throw new Error("outer", { cause: { code: 7 } });
  },
  causeChain: () => {
    throw new Error("a", { cause: new Error("b", { cause: new Error("c") }) });
  },
  causeItself: () => changed((error) => error.cause = error),
  circular: () => changed((error) => error.self = error),
  circularMember: () => changed((error) => error.response = { request: error, toString: () => "no" }),
  bigintMember: () => changed((error) => error.count = 10n),
  functionMember: () => changed((error) => error.retry = () => {}),
  dateMember: () => changed((error) => error.at = new Date(0)),
  mapMember: () => changed((error) => error.map = new Map([["a", 1]])),
  undefinedMember: () => changed((error) => error.nothing = undefined),
  symbolMember: () => changed((error) => error[Symbol("s")] = 1),
  errorMember: () => changed((error) => error.original = new TypeError("original")),
  bufferMember: () => changed((error) => error.body = Buffer.from("abc")),
  frozen: () => {
    throw Object.freeze(new Error("frozen"));
  },
  nullPrototype: () => {
    throw Object.assign(Object.create(null), { name: "Bare", message: "no prototype" });
  },
  nullPrototypeError: () => changed((error) => Object.setPrototypeOf(error, null)),
  otherPrototype: () => changed((error) => Object.setPrototypeOf(error, { name: "Other" })),
  domException: () => {
    throw new DOMException("dom", "AbortError");
  },
  domExceptionPlain: () => {
    throw new DOMException();
  },
  structuredClone: () => {
    structuredClone(() => {});
  },
  aborted: () => {
    AbortSignal.abort().throwIfAborted();
  },
  abortedReason: () => {
    AbortSignal.abort("a reason").throwIfAborted();
  },
  timeout: async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    signal.throwIfAborted();
  },
  string: () => {
    throw "a text";
  },
  emptyString: () => {
    throw "";
  },
  number: () => {
    throw 42;
  },
  zero: () => {
    throw 0;
  },
  nan: () => {
    throw NaN;
  },
  bigint: () => {
    throw 1n;
  },
  boolean: () => {
    throw false;
  },
  symbol: () => {
    throw Symbol("described");
  },
  undefined: () => {
    throw undefined;
  },
  null: () => {
    throw null;
  },
  object: () => {
    throw { code: 1, message: "in an object" };
  },
  objectAlike: () => {
    throw { name: "Alike", message: "like an error", stack: "Alike: like an error\n    at nowhere" };
  },
  objectWithText: () => {
    throw { toString: () => "own text" };
  },
  array: () => {
    throw [1, [2, 3]];
  },
  function: () => {
    throw function thrower() {};
  },
  class: () => {
    throw class Thrown {};
  },
  date: () => {
    throw new Date(0);
  },
  regExp: () => {
    throw /a/g;
  },
  map: () => {
    throw new Map();
  },
  promise: () => {
    throw Promise.resolve(1);
  },
  buffer: () => {
    throw Buffer.from("bytes");
  },
  proxy: () => {
    throw new Proxy(new Error("behind a proxy"), {});
  },
  proxyThrows: () => {
    throw new Proxy(new Error("behind a proxy"), { get: refuse });
  },
  response: () => {
    throw new Response("body", { status: 404 });
  },
  nameDeleted: () => changed((error) => delete error.name),
  nameEmpty: () => changed((error) => error.name = ""),
  nameNumber: () => changed((error) => error.name = 7),
  nameNull: () => changed((error) => error.name = null),
  nameUndefined: () => changed((error) => error.name = undefined),
  nameObject: () => changed((error) => error.name = { toString: () => "object" }),
  nameSymbol: () => changed((error) => error.name = Symbol("n")),
  nameSpaces: () => changed((error) => error.name = "two words"),
  nameUnicode: () => changed((error) => error.name = "Größe"),
  nameNewline: () => changed((error) => error.name = "a\nb"),
  nameThrows: () => changed(define("name", { get: refuse })),
  messageEmpty: () => changed((error) => error.message = ""),
  messageDeleted: () => changed((error) => delete error.message),
  messageNumber: () => changed((error) => error.message = 7),
  messageNull: () => changed((error) => error.message = null),
  messageUndefined: () => changed((error) => error.message = undefined),
  messageObject: () => changed((error) => error.message = { code: 1 }),
  messageChanged: () => changed((error) => error.message = "changed later"),
  messageThrows: () => changed(define("message", { get: refuse })),
  messageLines: () => {
    throw new Error("first line\nsecond line\n    at fake (/var/task/fake.js:1:1)");
  },
  messageReturns: () => {
    throw new Error("with\r\nreturns\tand tabs");
  },
  messageUnicode: () => {
    throw new Error("Größe 😀 \u2028");
  },
  messageSurrogate: () => {
    throw new Error("half \ud83d of a pair");
  },
  messageDelete: () => {
    throw new Error("a \x7F b");
  },
  messageNul: () => {
    throw new Error("a \0 b");
  },
  messageLong: () => {
    throw new Error("x".repeat(5000));
  },
  stackDeleted: () => changed((error) => delete error.stack),
  stackEmpty: () => changed((error) => error.stack = ""),
  stackNumber: () => changed((error) => error.stack = 7),
  stackNull: () => changed((error) => error.stack = null),
  stackUndefined: () => changed((error) => error.stack = undefined),
  stackText: () => changed((error) => error.stack = "one line"),
  stackArray: () => changed((error) => error.stack = ["a", "b"]),
  stackThrows: () => changed(define("stack", { get: refuse })),
  stackGetter: () => changed(define("stack", { get: () => "Error: from a getter\n    at there" })),
  stackLimit: () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 1;
    try {
      deep(3);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  },
  stackLimitZero: () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      throw new Error("without frames");
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  },
  stackPrepared: () => {
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (error, sites) => `${error} at ${sites[0].getFunctionName()}:${sites[0].getLineNumber()}`;
    try {
      const error = new Error("prepared");
      error.stack;
      throw error;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  },
  stackCaptured: () => {
    const holder = { name: "Holder", message: "holds a stack" };
    Error.captureStackTrace(holder, table.stackCaptured);
    throw holder;
  },
  stackCapturedError: () => {
    const error = new Error("captured");
    Error.captureStackTrace(error, changed);
    throw error;
  },
  deep: () => deep(3),
  veryDeep: () => deep(40),
  nestedEval: () => eval("null.x"),
  inCallback: () => [1].forEach(() => {
    throw new Error("in a callback");
  }),
  inGetter: () => ({
    get value() {
      throw new Error("in a getter");
    },
  }).value,
  inConstructor: () => {
    class Made {
      constructor() {
        throw new Error("in a constructor");
      }
    }
    new Made();
  },
  inStatic: () => {
    class Made {
      static make() {
        throw new Error("in a static method");
      }
    }
    Made.make();
  },
  inPrivate: () => {
    class Made {
      #secret() {
        throw new Error("in a private method");
      }
      call() {
        this.#secret();
      }
    }
    new Made().call();
  },
  inGenerator: () => {
    function* generate() {
      yield 1;
      throw new Error("in a generator");
    }
    return [...generate()];
  },
  inPromise: () =>
    new Promise(() => {
      throw new Error("in a promise");
    }),
  inThen: () =>
    Promise.resolve().then(() => {
      throw new Error("in then");
    }),
  inTimer: () =>
    new Promise((_, reject) => setTimeout(() => reject(new Error("in a timer")), 1)),
  inJson: () => JSON.stringify({
    toJSON() {
      throw new Error("in toJSON");
    },
  }),
  inSort: () => [2, 1].sort(() => {
    throw new Error("in sort");
  }),
  inReplace: () => "a".replace(/a/, () => {
    throw new Error("in replace");
  }),
  afterAwait: async () => {
    await null;
    throw new Error("after await");
  },
  asyncDeep: async () => {
    const inner = async () => {
      await null;
      throw new Error("async deep");
    };
    const outer = async () => await inner();
    await outer();
  },
  rethrown: async () => {
    try {
      await table.afterAwait();
    } catch (error) {
      throw new Error(`again: ${error.message}`, { cause: error });
    }
  },
  rejected: () => Promise.reject(new Custom("rejected")),
  rejectedNothing: () => Promise.reject(),
  allSettled: async () => {
    const [{ reason }] = await Promise.allSettled([Promise.reject(new Error("settled"))]);
    throw reason;
  },
  assertEqual: () => assert.strictEqual(1, 2),
  assertDeep: () => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }),
  assertOk: () => assert.ok(false, "with a message"),
  assertOkBare: () => assert(0),
  assertFail: () => assert.fail(),
  assertThrows: () => assert.throws(() => {}),
  assertMatch: () => assert.match("abc", /x/),
  assertRejects: () => assert.rejects(async () => 1),
  fsMissing: () => fs.readFileSync("/absent/file"),
  fsMissingAsync: () => fs.promises.readFile("/absent/file"),
  fsMissingCallback: () =>
    new Promise((resolve, reject) => fs.readFile("/absent/file", (error) => error ? reject(error) : resolve())),
  fsFolder: () => fs.readFileSync("/"),
  fsReaddir: () => fs.readdirSync("/absent"),
  fsMkdir: () => fs.mkdirSync("/"),
  fsRename: () => fs.renameSync("/absent/a", "/absent/b"),
  fsBadArgument: () => fs.readFileSync({}),
  fsBadMode: () => fs.openSync("/absent", "nonsense"),
  netRefused: () =>
    new Promise((resolve, reject) => require("node:net").connect(1, "127.0.0.1").on("connect", resolve).on("error", reject)),
  httpRefused: () =>
    new Promise((resolve, reject) => require("node:http").get("http://127.0.0.1:1/", resolve).on("error", reject)),
  fetchRefused: () => fetch("http://127.0.0.1:1/"),
  fetchBadUrl: () => fetch("nonsense"),
  urlInvalid: () => new URL("nonsense"),
  bufferRange: () => Buffer.alloc(2).readUInt32LE(0),
  bufferBadArgument: () => Buffer.from(5),
  bufferTooLarge: () => Buffer.alloc(Number.MAX_SAFE_INTEGER),
  cryptoUnknown: () => require("node:crypto").createHash("nonsense"),
  cryptoBadKey: () => require("node:crypto").createCipheriv("aes-256-cbc", "short", "short"),
  zlibBad: () => require("node:zlib").gunzipSync(Buffer.from("nonsense")),
  execFails: () => require("node:child_process").execFileSync("false"),
  spawnMissing: () =>
    new Promise((resolve, reject) => require("node:child_process").spawn("/absent/program").on("error", reject).on("exit", resolve)),
  emitterError: () => new (require("node:events"))().emit("error", new Error("emitted")),
  emitterErrorText: () => new (require("node:events"))().emit("error", "a text"),
  emitterBadListener: () => new (require("node:events"))().on("x", 1),
  timersBad: () => setTimeout("text"),
  requireMissing: () => require("absent-package"),
  requireMissingFile: () => require("./absent-file"),
  requireBuiltinMissing: () => require("node:absent"),
  requireBad: () => require(5),
  requireEmpty: () => require(""),
  importMissing: () => import("absent-package"),
  importMissingFile: () => import("./absent-file.mjs"),
  importBuiltinMissing: () => import("node:absent"),
  importUnknownScheme: () => import("nonsense:x"),
  pathBad: () => require("node:path").join(1),
  utilBad: () => require("node:util").promisify(1),
  queryBad: () => new URLSearchParams([[1]]),
  textDecoderFatal: () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])),
  textDecoderUnknown: () => new TextDecoder("nonsense"),
  atobBad: () => atob("%"),
  vmError: () => require("node:vm").runInNewContext("throw new TypeError('of another realm')"),
  vmSyntax: () => require("node:vm").runInNewContext("]"),
  vmText: () => require("node:vm").runInNewContext("throw 'a text'"),
  wasmBad: () => WebAssembly.compile(new Uint8Array([1, 2, 3])),
  streamDestroyed: async () => {
    const { Readable } = require("node:stream");
    const stream = new Readable({ read() {} });
    stream.destroy(new Error("destroyed"));
    for await (const _ of stream);
  },
  streamPremature: async () => {
    const { PassThrough, finished } = require("node:stream");
    const stream = new PassThrough();
    const done = require("node:util").promisify(finished)(stream);
    stream.destroy();
    await done;
  },
  workerThrows: () =>
    new Promise((resolve, reject) => {
      const { Worker } = require("node:worker_threads");
      new Worker("throw new TypeError('in a thread')", { eval: true }).on("error", reject).on("exit", resolve);
    }),
};

// Tells whose lines of the log follow.
const mark = (event) => process.stdout.write(`-- ${event.do}\n`);

exports.handler = async (event) => {
  mark(event);
  return table[event.do]();
};
exports.sync = (event) => {
  mark(event);
  return table[event.do]();
};
exports.callback = (event, context, callback) => {
  let thrown;
  try {
    const result = table[event.do]();
    return result.then((value) => callback(null, value), (error) => callback(error));
  } catch (error) {
    thrown = error;
  }
  callback(thrown);
};
exports.names = Object.keys(table);
