// The context object of an invocation, and what the prelude knows about the process.
import { core } from "ext:core/mod.js";
import { settle } from "ext:trine_prelude/invoke.js";
import { reply, signalOf, stateOf } from "ext:trine_prelude/exchange.js";
import { isNewer, isOlder } from "ext:trine_prelude/rules.js";

/** What the process offers; set once, at start. */
export let host;

export function setHost(given) {
  host = given;
}

/** What is left of the time where nothing limits it: Lambda's longest time limit. */
const UNLIMITED_MS = 900_000;

/**
 * The facts of the invocation whose code runs, or undefined outside of any. They follow it across `await`. On a worker thread,
 * the ids of the invocation that has started it.
 */
export function currentMeta() {
  return core.getAsyncContext()?.trine ?? host?.startedFor;
}

/** Runs `call` as part of the invocation with these facts. */
export function within(meta, call, first, second, third) {
  const previous = core.getAsyncContext();
  // A fresh mapping: what an earlier invocation stored in async variables is none of this one's business. An ordinary object
  // is made much faster than one without a prototype, and the names that are looked up in it are no members of `Object`'s.
  core.setAsyncContext({ trine: meta });
  try {
    return call(first, second, third);
  } finally {
    core.setAsyncContext(previous);
  }
}

/** The object of whose methods a handler is one while it is called, as Lambda's clients have it; its class shows in stacks. */
class Runtime {
  constructor(handler) {
    this.handler = handler;
  }
}

class BufferedInvokeProcessor extends Runtime {}
class StreamingInvokeProcessor extends Runtime {}

/** Makes the object to call a handler as a method of. */
export function receiverOf(handler, isStreaming) {
  if (!isNewer) {
    return new Runtime(handler);
  }
  return isStreaming ? new StreamingInvokeProcessor(handler) : new BufferedInvokeProcessor(handler);
}

/** The one of the handler that was called last: a process mostly has one handler. */
let last;

/** Calls a handler as part of the invocation with these facts. */
export function handle(meta, handler, event, context, callback) {
  if (last?.handler !== handler) {
    last = receiverOf(handler, false);
  }
  const previous = core.getAsyncContext();
  core.setAsyncContext({ trine: meta });
  try {
    return isNewer ? last.handler(event, context) : last.handler(event, context, callback);
  } finally {
    core.setAsyncContext(previous);
  }
}

function parseJson(text, what, header) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = new Error(
      isNewer
        ? `Failed to parse ${header} as JSON: ${error.message}`
        : `Cannot parse ${what} as json: ${error}`,
    );
    if (isNewer) {
      fault.name = "Runtime.PlatformError";
    }
    fault.trineKind = "ContextUnmarshal";
    throw fault;
  }
}

/** Gives a context the member that says whether its answer waits, as the older rules have it: a pair of functions. */
function addFlag(context) {
  let waits = true;
  Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
    get: () => waits,
    set: (value) => waits = value,
    enumerable: true,
    configurable: true,
  });
}

/**
 * The context of one invocation, the same object for its hooks and its handler. What users spread and stringify is its
 * own members; the others stand on the prototype, where making a context does not pay for them.
 */
export class Context {
  #meta;

  constructor(meta) {
    this.#meta = meta;
    if (meta.plainContext !== undefined) {
      Object.assign(this, JSON.parse(meta.plainContext));
      return;
    }
    const { deadlineMs } = meta;
    const getRemainingTimeInMillis = () =>
      deadlineMs === undefined ? UNLIMITED_MS : deadlineMs - Date.now();
    // The order of the members is that of either client.
    if (isOlder) {
      addFlag(this);
      this.#addAnswers();
      this.#addVariables();
      this.#addHeaders();
      this.getRemainingTimeInMillis = getRemainingTimeInMillis;
      return;
    }
    this.#addHeaders();
    this.xRayTraceId = meta.traceId;
    this.getRemainingTimeInMillis = getRemainingTimeInMillis;
    this.#addVariables();
    this.w3c = () => Object.freeze(meta.w3c === undefined ? {} : JSON.parse(meta.w3c));
    if (!isNewer) {
      this.callbackWaitsForEmptyEventLoop = true;
      this.#addAnswers();
    }
  }

  #addHeaders() {
    const meta = this.#meta;
    this.clientContext = meta.clientContext === undefined
      ? undefined
      : parseJson(meta.clientContext, "ClientContext", "lambda-runtime-client-context");
    this.identity = meta.identity === undefined
      ? undefined
      : parseJson(meta.identity, "CognitoIdentity", "lambda-runtime-cognito-identity");
    this.invokedFunctionArn = meta.invokedFunctionArn;
    this.awsRequestId = meta.requestId;
    this.tenantId = meta.tenantId;
  }

  #addVariables() {
    if (isOlder) {
      this.functionVersion = undefined;
    }
    this.functionName = this.#meta.functionName ?? host.functionName;
    this.functionVersion = host.functionVersion;
    this.memoryLimitInMB = host.memoryMb;
    this.logGroupName = host.logGroup;
    this.logStreamName = host.logStream;
  }

  /** Monitoring layers put functions of their own in the place of these. */
  #addAnswers() {
    const meta = this.#meta;
    this.succeed = (value) => settle(meta, "succeed", null, value);
    this.fail = (error) => settle(meta, "fail", error ?? "handled");
    this.done = (error, value) => settle(meta, "done", error, value);
  }

  /** What the hooks and the handler of this invocation share, whatever their language. */
  get state() {
    return stateOf(this.#meta);
  }

  set state(_value) {
    throw new TypeError(
      "context.state is shared by all languages and stays the same object: write to its members, context.state.name = value",
    );
  }

  /** Answers the invocation from a `before` hook. */
  get reply() {
    const meta = this.#meta;
    return (response) => reply(meta, response);
  }

  /** Asks, from a hook, for the whole of a response that may be streamed. */
  get bufferResponse() {
    const meta = this.#meta;
    return () => host.bufferResponse(meta.slot);
  }

  /** Aborted shortly before the deadline. */
  get signal() {
    return signalOf(this.#meta);
  }
}

// To those who ask what it is, a plain object.
Object.defineProperty(Context.prototype, "constructor", { value: Object });
