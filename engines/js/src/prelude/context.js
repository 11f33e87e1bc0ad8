// The context object of an invocation, and what the prelude knows about the process.
import { core } from "ext:core/mod.js";

/** What the process offers; set once, at start. */
export let host;

export function setHost(given) {
  host = given;
}

/** The facts of the invocation whose code runs, or undefined outside of any. They follow it across `await`. */
export function currentMeta() {
  return core.getAsyncContext()?.trine;
}

/** Runs `call` as part of the invocation with these facts. */
export function within(meta, handler, event, context, callback) {
  const previous = core.getAsyncContext();
  // A fresh mapping: what an earlier invocation stored in async variables is none of this one's business.
  core.setAsyncContext({ __proto__: null, trine: meta });
  try {
    return handler(event, context, callback);
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
 * The context of one invocation. What users spread and stringify are its own members; the older ways to answer stand on
 * the prototype, where making a context does not pay for them.
 */
export class Context {
  #answer;

  /** `answer` learns when the handler uses one of the callback ways to answer. */
  constructor(meta, answer) {
    this.#answer = answer;
    const { deadlineMs } = meta;
    this.functionName = meta.functionName ?? host.functionName;
    this.functionVersion = host.functionVersion;
    this.memoryLimitInMB = host.memoryMb;
    this.logGroupName = host.logGroup;
    this.logStreamName = host.logStream;
    this.awsRequestId = meta.requestId;
    this.invokedFunctionArn = meta.invokedFunctionArn;
    this.xRayTraceId = meta.traceId;
    this.tenantId = meta.tenantId;
    this.clientContext = meta.clientContext === undefined
      ? undefined
      : parseJson(meta.clientContext, "ClientContext");
    this.identity = meta.identity === undefined
      ? undefined
      : parseJson(meta.identity, "CognitoIdentity");
    this.getRemainingTimeInMillis = () =>
      deadlineMs === undefined ? Infinity : deadlineMs - Date.now();
    this.w3c = () => meta.w3c === undefined ? undefined : Object.freeze(JSON.parse(meta.w3c));
  }

  get callbackWaitsForEmptyEventLoop() {
    return this.#answer.waits;
  }

  set callbackWaitsForEmptyEventLoop(value) {
    this.#answer.waits = Boolean(value);
  }

  get done() {
    this.#answer.used = true;
    return (error, value) => this.#answer.settle(error, value);
  }

  get succeed() {
    this.#answer.used = true;
    return (value) => this.#answer.settle(null, value);
  }

  get fail() {
    this.#answer.used = true;
    return (error) => this.#answer.settle(error ?? "handled");
  }
}
