// The context object of an invocation, and what the prelude knows about the process.
import { core } from "ext:core/mod.js";

/** What the process offers; set once, at start. */
export let host;

/** Request id and tenant of the invocation whose code runs; follows it across `await`. */
const current = new core.AsyncVariable();

export function setHost(given) {
  host = given;
}

/** The facts of the invocation whose code runs, or undefined outside of any. */
export function currentMeta() {
  return current.get();
}

/** Runs `call` as part of the invocation with these facts. */
export function within(meta, call) {
  const previous = current.enter(meta);
  try {
    return call();
  } finally {
    core.setAsyncContext(previous);
  }
}

function parseJson(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = new Error(`Cannot parse ${what} as json: ${error.message}`);
    fault.trineKind = "ContextUnmarshal";
    throw fault;
  }
}

/**
 * Makes the context of one invocation. All members are its own and enumerable, because users spread and stringify it.
 *
 * `answer` learns when the handler uses one of the callback ways to answer.
 */
export function makeContext(meta, answer) {
  const { deadlineMs } = meta;
  return {
    get callbackWaitsForEmptyEventLoop() {
      return answer.waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      answer.waits = Boolean(value);
    },
    functionName: meta.functionName ?? host.functionName,
    functionVersion: host.functionVersion,
    memoryLimitInMB: host.memoryMb,
    logGroupName: host.logGroup,
    logStreamName: host.logStream,
    awsRequestId: meta.requestId,
    invokedFunctionArn: meta.invokedFunctionArn,
    xRayTraceId: meta.traceId,
    tenantId: meta.tenantId,
    clientContext: meta.clientContext === undefined
      ? undefined
      : parseJson(meta.clientContext, "ClientContext"),
    identity: meta.identity === undefined
      ? undefined
      : parseJson(meta.identity, "CognitoIdentity"),
    getRemainingTimeInMillis: () =>
      deadlineMs === undefined ? Infinity : deadlineMs - Date.now(),
    w3c: () => meta.w3c === undefined ? undefined : Object.freeze(JSON.parse(meta.w3c)),
    get done() {
      answer.used = true;
      return (error, value) => answer.settle(error, value);
    },
    get succeed() {
      answer.used = true;
      return (value) => answer.settle(null, value);
    },
    get fail() {
      answer.used = true;
      return (error) => answer.settle(error ?? "handled");
    },
  };
}
