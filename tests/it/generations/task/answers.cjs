// Handlers that answer in every way there is: each is one row of the rules of a generation.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is told at once has not been touched by the timer; what is held until nothing is left to do has. */
function touched() {
  const told = { late: false };
  setTimeout(() => {
    told.late = true;
  }, 40);
  return told;
}

// Values that are returned.
exports.plain = () => "returned";
exports.plainPromise = () => Promise.resolve("resolved");
exports.asyncValue = async () => ({ a: [1] });
exports.asyncNothing = async () => {};
exports.asyncPending = async () => touched();
exports.thenable = () => ({ then: (resolve) => resolve("thenable") });
exports.generator = function* () {
  yield 1;
};

// Errors.
exports.rejects = async () => {
  throw new TypeError("rejected");
};
exports.rejectsText = async () => {
  throw "a text";
};
exports.rejectsNothing = () => Promise.reject();
exports.rejectsNull = () => Promise.reject(null);
exports.throws = () => {
  throw new RangeError("thrown");
};
exports.throwsNothing = () => {
  throw undefined;
};
exports.throwsAlike = () => {
  throw { name: "Alike", message: "like an error", stack: "Alike: like an error\n    at nowhere" };
};
exports.throwsAlikeWithoutMessage = () => {
  throw { name: "Alike", message: "", stack: "Alike" };
};
exports.throwsBare = () => {
  throw Object.create(null);
};
exports.throwsObject = () => {
  throw { a: 1 };
};

// The callback.
exports.callbackHeld = (_event, _context, callback) => callback(null, touched());
exports.callbackAtOnce = (_event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  callback(null, touched());
};
exports.callbackError = (_event, _context, callback) => callback(new TypeError("told"));
exports.callbackErrorText = (_event, _context, callback) => callback("told");
exports.callbackLater = (_event, _context, callback) => {
  setTimeout(() => callback(null, "later"), 10);
};
exports.callbackTwice = (_event, _context, callback) => {
  callback(null, "first");
  callback(null, "second");
};
exports.callbackThenSucceed = (_event, context, callback) => {
  callback(null, "first");
  context.succeed("second");
};
exports.callbackThenFail = (_event, context, callback) => {
  callback(null, "first");
  context.fail(new Error("second"));
};
exports.callbackThenThrow = (_event, _context, callback) => {
  callback(null, "told");
  throw new Error("thrown");
};
exports.callbackAndValue = (_event, _context, callback) => {
  callback(null, "told");
  return "returned";
};
exports.callbackAndPromise = async (_event, _context, callback) => {
  callback(null, "told");
  return "returned";
};
exports.callbackOfAsync = async (_event, _context, callback) => {
  callback(null, "told");
};
exports.callbackOfAsyncLater = async (_event, _context, callback) => {
  await pause(1);
  callback(null, touched());
};
exports.callbackThenReject = async (_event, _context, callback) => {
  callback(null, "told");
  throw new Error("thrown");
};
exports.callbackNothing = (_event, _context, callback) => callback();
exports.silent = (_event, _context, _callback) => {};
exports.silentValue = (_event, _context, _callback) => "returned";
exports.silentLater = (_event, _context) => {
  setTimeout(() => {}, 10);
};

// The context's functions.
exports.succeed = (_event, context) => context.succeed("told");
exports.succeedAtOnce = (_event, context) => context.succeed(touched());
exports.succeedLater = (_event, context) => {
  setTimeout(() => context.succeed("later"), 10);
};
exports.done = (_event, context) => context.done(null, "told");
exports.doneError = (_event, context) => context.done(new RangeError("told"));
exports.fail = (_event, context) => context.fail(new RangeError("told"));
exports.failText = (_event, context) => context.fail("told");
exports.failNothing = (_event, context) => context.fail();
exports.succeedThenThrow = (_event, context) => {
  context.succeed("told");
  throw new Error("thrown");
};
exports.succeedOfAsyncLater = async (_event, context) => {
  await pause(1);
  context.succeed("told");
};
exports.failOfAsync = async (_event, context) => {
  context.fail(new RangeError("told"));
};
exports.succeedThenNever = async (_event, context) => {
  context.succeed("told");
  await new Promise(() => {});
};
exports.succeedLaterThenNever = async (_event, context) => {
  await pause(1);
  context.succeed("told");
  await new Promise(() => {});
};
exports.callbackThenNever = async (_event, _context, callback) => {
  callback(null, "told");
  await new Promise(() => {});
};
exports.callbackLaterThenNever = async (_event, _context, callback) => {
  await pause(1);
  callback(null, "told");
  await new Promise(() => {});
};
exports.asyncSucceed = async (_event, context) => {
  context.succeed("told");
  return "returned";
};

// What does not end.
exports.neverAsync = async () => {
  await new Promise(() => {});
};
exports.neverPlain = () => new Promise(() => {});

// Values without a form in JSON.
exports.cycle = async () => {
  const value = {};
  value.itself = value;
  return value;
};
exports.bigint = async () => 1n;
exports.callbackCycle = (_event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  const value = {};
  value.itself = value;
  callback(null, value);
};

// Errors that nobody handles.
exports.unhandledRejection = async () => {
  Promise.reject(new TypeError("nobody listens"));
  await pause(500);
};
exports.unhandledText = async () => {
  Promise.reject("nobody listens");
  await pause(500);
};
exports.uncaughtException = async () => {
  setTimeout(() => {
    throw new TypeError("in a timer");
  }, 1);
  await pause(500);
};

// What handlers are given.
exports.contextMembers = async (_event, context) => Object.keys(context).sort();
exports.contextTypes = async (_event, context) =>
  Object.fromEntries(Object.entries(context).map(([key, value]) => [key, typeof value]).sort());
exports.contextFlag = async (_event, context) => {
  const flag = Object.getOwnPropertyDescriptor(context, "callbackWaitsForEmptyEventLoop");
  return flag && [typeof flag.get, typeof flag.set, flag.enumerable];
};
exports.contextValues = async (_event, context) => [
  context.functionName,
  context.functionVersion,
  context.memoryLimitInMB,
  context.logGroupName,
  context.logStreamName,
];
exports.clientContext = async (_event, context) => [context.clientContext, context.identity];
exports.argumentCount = function () {
  return Promise.resolve(arguments.length);
};
exports.defaultParameter = async (_event, _context, callback = "no callback") => typeof callback;
exports.restParameter = async (...given) => given.length;

// Exports.
exports.inner = { handler: async () => "inner" };
exports.Static = class {
  static async run() {
    return "static";
  }
};
exports.number = 7;
exports.zero = 0;
exports.nothing = null;
exports.markedOtherwise = async () => {};
exports.markedOtherwise[Symbol.for("aws.lambda.runtime.handler.streaming")] = "request";
