// What a context is like: each function is a case.
const util = require("node:util");

const FLAG = "callbackWaitsForEmptyEventLoop";
let first;

const table = {
  keys: (context) => Object.keys(context),
  sortedKeys: (context) => Object.keys(context).sort(),
  ownNames: (context) => Reflect.ownKeys(context).map(String).sort(),
  forIn: (context) => {
    const names = [];
    for (const name in context) {
      names.push(name);
    }
    return names.sort();
  },
  types: (context) => Object.fromEntries(Object.keys(context).sort().map((name) => [name, typeof context[name]])),
  json: (context) => JSON.parse(JSON.stringify(context)),
  jsonText: (context) => JSON.stringify(context),
  inspected: (context) => util.inspect(context, { sorted: true }),
  text: (context) => String(context),
  tag: (context) => Object.prototype.toString.call(context),
  constructor: (context) => context.constructor.name,
  prototype: (context) => Object.getPrototypeOf(context) === Object.prototype,
  spread: (context) => Object.keys({ ...context }).sort(),
  assign: (context) => Object.assign({}, context).awsRequestId,
  clone: (context) => {
    const { getRemainingTimeInMillis, done, fail, succeed, w3c, ...rest } = context;
    return structuredClone(rest);
  },
  descriptors: (context) =>
    Object.fromEntries(
      Object.entries(Object.getOwnPropertyDescriptors(context)).sort(([a], [b]) => a < b ? -1 : 1)
        .filter(([name]) => name !== FLAG)
        .map(([name, { writable, enumerable, configurable }]) => [name, [writable, enumerable, configurable]]),
    ),
  frozen: (context) => [Object.isFrozen(context), Object.isSealed(context), Object.isExtensible(context)],
  writable: (context) => {
    context.awsRequestId = "changed";
    context.extra = 1;
    return [context.awsRequestId, context.extra];
  },
  deletable: (context) => [delete context.functionName, context.functionName],
  functionName: (context) => context.functionName,
  functionVersion: (context) => context.functionVersion,
  memory: (context) => [context.memoryLimitInMB, typeof context.memoryLimitInMB],
  logs: (context) => [context.logGroupName, context.logStreamName],
  arn: (context) => context.invokedFunctionArn,
  requestId: (context) => /^id-\d+$/.test(context.awsRequestId),
  trace: (context) => context.xRayTraceId,
  tenant: (context) => [context.tenantId, "tenantId" in context],
  clientContext: (context) => [context.clientContext, typeof context.clientContext, "clientContext" in context],
  clientMembers: (context) => context.clientContext && [context.clientContext.client?.installation_id, context.clientContext.Custom, context.clientContext.custom, context.clientContext.env],
  clientKeys: (context) => Object.keys(context.clientContext ?? {}),
  clientPrototype: (context) => context.clientContext && Object.getPrototypeOf(context.clientContext) === Object.prototype,
  identity: (context) => [context.identity, typeof context.identity, "identity" in context],
  identityMembers: (context) => [context.identity?.cognitoIdentityId, context.identity?.cognitoIdentityPoolId, context.identity?.cognito_identity_id],
  remaining: (context) => {
    const left = context.getRemainingTimeInMillis();
    return [typeof left, Number.isInteger(left), left > 1e12];
  },
  remainingUnbound: (context) => {
    const { getRemainingTimeInMillis } = context;
    return typeof getRemainingTimeInMillis();
  },
  remainingFalls: async (context) => {
    const before = context.getRemainingTimeInMillis();
    await new Promise((resolve) => setTimeout(resolve, 5));
    return context.getRemainingTimeInMillis() < before;
  },
  remainingName: (context) => [context.getRemainingTimeInMillis.name, context.getRemainingTimeInMillis.length],
  flag: (context) => context[FLAG],
  flagIn: (context) => FLAG in context,
  flagSet: (context) => {
    context[FLAG] = false;
    return context[FLAG];
  },
  done: (context) => [typeof context.done, typeof context.succeed, typeof context.fail],
  doneIn: (context) => ["done" in context, "succeed" in context, "fail" in context],
  signal: (context) => ["signal" in context, "state" in context, "reply" in context, "bufferResponse" in context],
  store: async () => {
    const { InvokeStore } = globalThis.awslambda ?? {};
    return InvokeStore && [typeof InvokeStore.getRequestId(), InvokeStore.getXRayTraceId(), InvokeStore.getTenantId(), InvokeStore.hasContext()];
  },
  storeSet: async () => {
    const { InvokeStore } = globalThis.awslambda ?? {};
    InvokeStore?.set("a", 1);
    await null;
    return InvokeStore && [InvokeStore.get("a"), Object.keys(InvokeStore.getContext())];
  },
  storeNext: () => globalThis.awslambda?.InvokeStore?.get("a"),
  storeProtected: () => {
    const { InvokeStore } = globalThis.awslambda ?? {};
    InvokeStore?.set(Symbol.for("_AWS_LAMBDA_REQUEST_ID"), "x");
  },
  awslambda: () => Object.keys(globalThis.awslambda ?? {}).sort(),
  traceVariable: () => process.env._X_AMZN_TRACE_ID,
  remember: (context) => {
    first = context;
    return "remembered";
  },
  isNew: (context) => [first === context, first !== undefined],
  thisValue: function () {
    return this === undefined || this === globalThis ? String(this) : typeof this;
  },
};

exports.handler = async (event, context) => table[event.do](context);
exports.counts = async function (...given) {
  return given.length;
};
exports.countsCallback = function (...given) {
  return Promise.resolve(given.length);
};
exports.thisValue = async function () {
  return [typeof this, this === undefined, this === exports, this === globalThis];
};
exports.thisSloppy = function () {
  return Promise.resolve([typeof this, this === exports, this === globalThis]);
};
exports.names = Object.keys(table);
