// What handlers return: each function is a case.
class Point {
  #hidden = 0;
  constructor() {
    this.x = 1;
    this.y = undefined;
  }
  get sum() {
    return 2;
  }
}
class Jsonable {
  toJSON(key) {
    return { key, kind: "toJSON" };
  }
}
const refuse = () => {
  throw new TypeError("a getter that throws");
};
const nested = (depth) => {
  let value = "bottom";
  for (let level = 0; level < depth; level++) {
    value = [value];
  }
  return value;
};
const cycle = () => {
  const object = { name: "a" };
  object.self = object;
  return object;
};

const table = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  zero: () => 0,
  minusZero: () => -0,
  minusZeroInside: () => [-0],
  float: () => 0.1 + 0.2,
  large: () => 1e21,
  small: () => 5e-324,
  maxSafe: () => Number.MAX_SAFE_INTEGER,
  nan: () => NaN,
  infinity: () => [Infinity, -Infinity, NaN],
  string: () => "text",
  emptyString: () => "",
  json: () => '{"already": "JSON"}',
  unicode: () => "Größe 😀 \u2028\u2029 \u0000 \u001f \x7f",
  surrogate: () => "half \ud83d of",
  surrogateKey: () => ({ "\udc00": 1 }),
  escapes: () => "\"\\/\b\f\n\r\t<>&'",
  bigint: () => 1n,
  bigintInside: () => ({ deep: [1n] }),
  bigintWithJson: () => {
    BigInt.prototype.toJSON = function () {
      return this.toString();
    };
    const text = JSON.stringify([1n]);
    delete BigInt.prototype.toJSON;
    return text;
  },
  symbol: () => Symbol("s"),
  symbolInside: () => ({ s: Symbol("s"), list: [Symbol("s")] }),
  symbolKey: () => ({ [Symbol("s")]: 1, plain: 2 }),
  function: () => () => {},
  functionInside: () => ({ f() {}, list: [() => {}] }),
  undefinedInside: () => ({ u: undefined, list: [undefined, , 3] }),
  sparse: () => {
    const list = [1];
    list[4] = 5;
    return list;
  },
  arrayWithMembers: () => Object.assign([1, 2], { extra: 3 }),
  empty: () => ({}),
  order: () => ({ b: 1, a: 2, 10: 3, 2: 4, "-1": 5, "01": 6 }),
  nullPrototype: () => Object.assign(Object.create(null), { a: 1 }),
  proto: () => JSON.parse('{"__proto__": {"a": 1}}'),
  inherited: () => Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
  hidden: () => Object.defineProperty({}, "hidden", { value: 1 }),
  classInstance: () => new Point(),
  toJSON: () => ({ a: new Jsonable(), list: [new Jsonable()] }),
  toJSONTop: () => new Jsonable(),
  toJSONUndefined: () => ({ toJSON: () => undefined }),
  toJSONThrows: () => ({ toJSON: refuse }),
  toJSONPromise: () => ({ toJSON: async () => 1 }),
  getter: () => ({
    get value() {
      return 1;
    },
  }),
  getterThrows: () => Object.defineProperty({}, "value", { get: refuse, enumerable: true }),
  date: () => new Date(0),
  dateInvalid: () => new Date(NaN),
  dateInside: () => [new Date(86400000)],
  map: () => new Map([["a", 1]]),
  set: () => new Set([1]),
  weakMap: () => new WeakMap(),
  mapInside: () => ({ map: new Map([[1, 2]]), set: new Set([1]) }),
  buffer: () => Buffer.from("abc"),
  bufferInside: () => ({ body: Buffer.from("é") }),
  uint8Array: () => new Uint8Array([1, 2, 3]),
  float32Array: () => new Float32Array([0.1, NaN]),
  bigInt64Array: () => new BigInt64Array([1n]),
  arrayBuffer: () => new ArrayBuffer(4),
  dataView: () => new DataView(new ArrayBuffer(4)),
  regExp: () => /a/g,
  error: () => new Error("returned"),
  errorInside: () => ({ error: Object.assign(new Error("inside"), { code: "E" }) }),
  boxed: () => [new Number(1), new String("s"), new Boolean(false)],
  boxedBigint: () => Object(1n),
  boxedSymbol: () => Object(Symbol("s")),
  promise: () => Promise.resolve({ a: 1 }),
  promiseOfPromise: () => Promise.resolve(Promise.resolve(2)),
  promiseInside: () => ({ promise: Promise.resolve(1) }),
  thenable: () => ({ then: (resolve) => resolve("of a thenable") }),
  thenableThrows: () => ({ then: () => refuse() }),
  thenNoFunction: () => ({ then: 1 }),
  thenGetterThrows: () => Object.defineProperty({}, "then", { get: refuse }),
  proxy: () => new Proxy({ a: 1 }, {}),
  proxyArray: () => new Proxy([1, 2], {}),
  proxyKeys: () => new Proxy({}, {
    ownKeys: () => ["made"],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
    get: (_, name) => name === "made" ? "up" : undefined,
  }),
  proxyThrows: () => new Proxy({}, { ownKeys: refuse }),
  proxyRevoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    const holder = { proxy };
    revoke();
    return holder;
  },
  cycle,
  cycleDeep: () => ({ list: [1, { a: cycle() }] }),
  cycleArray: () => {
    const list = [];
    list.push(list);
    return list;
  },
  shared: () => {
    const shared = { a: 1 };
    return [shared, shared];
  },
  generator: () => (function* () {
    yield 1;
  })(),
  iterator: () => [1, 2].values(),
  arguments: (function () {
    return () => arguments;
  })(1, 2),
  url: () => new URL("https://example.com/a?b=c"),
  urlSearchParams: () => new URLSearchParams("a=1"),
  headers: () => new Headers({ a: "1" }),
  httpResponse: () => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body: "hello" }),
  httpResponseBuffer: () => ({ statusCode: 200, body: Buffer.from("hello") }),
  responseLike: () => ({ status: 200, ok: true, headers: {}, body: null, json: async () => 1 }),
  context: (event, context) => context,
  event: (event) => event,
  globalThis: () => typeof globalThis,
  process: () => ({ pid: typeof process.pid }),
  nested500: () => nested(500),
  nested3000: () => nested(3000),
  long: () => "x".repeat(100000),
  longList: () => Array.from({ length: 300 }, (_, index) => index),
  longKeys: () => ({ ["k".repeat(1000)]: 1 }),
  dynamic: () => Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index])),
  intl: () => [new Intl.NumberFormat("en-US").format(1234.5), new Date(0).toLocaleString("en-US", { timeZone: "UTC" })],
  structured: () => structuredClone({ a: new Date(0), b: [1] }),
  finalizer: () => new FinalizationRegistry(() => {}),
  weakRef: () => new WeakRef({}),
  classItself: () => Point,
  namespace: () => import("node:path").then(({ sep }) => ({ sep })),
  rawJson: () => typeof JSON.rawJSON === "function" ? ({ n: JSON.rawJSON("12345678901234567890") }) : "none",
};

exports.handler = async (event, context) => table[event.do](event, context);
exports.sync = (event, context) => table[event.do](event, context);
exports.callback = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  callback(null, table[event.do](event, context));
};
exports.names = Object.keys(table);
