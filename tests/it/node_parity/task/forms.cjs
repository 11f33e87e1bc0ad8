// Forms that handlers may have.
const util = require("node:util");
const answer = (event, context) => [event.a ?? null, typeof context.awsRequestId];

exports.plain = (event, context) => answer(event, context);
exports.asynchronous = async (event, context) => answer(event, context);
exports.noParameters = async () => "none";
exports.onlyEvent = async (event) => event;
exports.threeParameters = (event, context, callback) => callback(null, "by callback");
exports.threeAsync = async (event, context, callback) => "async of three";
exports.fourParameters = async (event, context, callback, more) => typeof more;
exports.defaults = async (event, context, callback = "default") => typeof callback;
exports.defaultContext = async (event = 1, context = 2) => typeof context;
exports.rest = async (...given) => given.length;
exports.restPlain = (...given) => given.length;
exports.destructured = async ({ a = "none" }, { awsRequestId }) => [a, typeof awsRequestId];
exports.usesArguments = function () {
  return Promise.resolve(arguments.length);
};
exports.generator = function* (event) {
  yield 1;
  return 2;
};
exports.asyncGenerator = async function* (event) {
  yield 1;
  yield 2;
};
exports.thenable = () => ({ then: (resolve) => setTimeout(resolve, 1, "of a thenable") });
exports.thenableRejects = () => ({ then: (_, reject) => reject(new Error("of a thenable")) });
exports.thenableNever = () => ({ then() {} });
exports.promise = () => Promise.resolve("promised");
exports.promiseLater = () => new Promise((resolve) => setTimeout(resolve, 1, "later"));
exports.promiseSubclass = () => new (class Own extends Promise {})((resolve) => resolve("own promise"));
exports.bound = function () {
  return Promise.resolve(this.name);
}.bind({ name: "bound" });
exports.promisified = util.promisify((event, context, callback) => callback(null, "promisified"));
exports.callbackified = util.callbackify(async () => "callbackified");
exports.proxied = new Proxy(async () => "proxied", {});
exports.proxiedApply = new Proxy(async () => "plain", { apply: async () => "applied" });
exports.object = { handler: async () => "in an object", deeper: { handler: async () => "deeper" } };
exports.Class = class {
  static handler = async () => "static field";
  static async method() {
    return `static method of ${this === undefined ? "nothing" : typeof this}`;
  }
};
exports.instance = new (class {
  name = "instance";
  async method() {
    return this === undefined ? "unbound" : typeof this.name;
  }
  field = async () => this.name;
})();
exports.constructible = class {
  constructor() {
    this.a = 1;
  }
};
exports.oldStyle = function () {
  this.a = 1;
};
Object.defineProperty(exports, "getter", { enumerable: true, get: () => async () => "by a getter" });
Object.defineProperty(exports, "hiddenGetter", { get: () => async () => "by a hidden getter" });
Object.defineProperty(exports, "getterThrows", {
  enumerable: false,
  get() {
    throw new Error("no handler today");
  },
});
exports.null = null;
exports.undefined = undefined;
exports.number = 42;
exports.zero = 0;
exports.emptyText = "";
exports.text = "text";
exports.list = [async () => "first of a list"];
exports.promiseOfHandler = Promise.resolve(async () => "promised handler");
exports.map = new Map([["handler", async () => 1]]);
exports.callable = Object.assign(async () => "callable", { inner: async () => "member of a function" });
exports["with-dash"] = async () => "with a dash";
exports["with space"] = async () => "with a space";
exports["größe"] = async () => "größe";
exports.$ = async () => "dollar";
exports._ = async () => "underscore";
exports[1] = async () => "one";
exports.constructor = async () => "constructor";
exports.replaced = async () => {
  exports.replaced = async () => "replaced";
  return "first";
};
exports.nested = async (event) => event.times > 0 ? exports.nested({ times: event.times - 1 }) : "bottom";
exports.recursivePromise = async () => (async () => (async () => "deep promise")())();
exports.returnsFunction = async () => () => 1;
exports.timer = (event, context, callback) => setTimeout(() => callback(null, "by a timer"), 1);
exports.mixed = async (event, context, callback) => {
  if (callback) {
    callback(null, "by callback");
  }
  return "by promise";
};
exports.evaluated = eval("(async () => 'evaluated')");
exports.made = new Function("event", "return Promise.resolve('made')");
exports.vm = require("node:vm").runInNewContext("(async () => 'of another realm')");
exports.vmPlain = require("node:vm").runInNewContext("(() => ({ a: [1] }))");
exports.wrapped = (() => {
  const wrap = (handler) => async (event, context) => ({ wrapped: await handler(event, context) });
  return wrap(exports.asynchronous);
})();
// How the frames of those that fail are called.
exports.failing = function () {
  throw new Error("plain function");
};
exports.failingAsync = async function () {
  throw new Error("async function");
};
exports.failingNamed = async function named() {
  throw new Error("named function");
};
exports.failingArrow = () => {
  throw new Error("arrow");
};
exports.failingLater = async function () {
  await null;
  throw new Error("later");
};
exports.failingStrict = function () {
  "use strict";
  throw new Error("strict");
};
exports.failingObject = {
  async method() {
    throw new Error("method");
  },
};
exports.failingInstance = new (class Service {
  async run() {
    throw new Error("of an instance");
  }
  bound = this.run.bind(this);
})();
async function declared() {
  throw new Error("declared");
}
exports.failingDeclared = declared;
exports.failingThenable = function () {
  return Promise.reject(new Error("rejected"));
};
