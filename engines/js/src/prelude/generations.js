// How Lambda's own runtimes find and call handlers, to the letter: the older ones (Node.js 16 to 22), whose handlers have a
// callback, and the newer ones (Node.js 24). Contract: the clients `aws-lambda-ric` 3.x and 4.x.
import { core } from "ext:core/mod.js";
import { handle, host } from "ext:trine_prelude/context.js";
import { fault, isThenable } from "ext:trine_prelude/marshal.js";
import { markedOf } from "ext:trine_prelude/response_stream.js";
import { isManaged22, isNewer, isOlder } from "ext:trine_prelude/rules.js";

const SEE = "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.";
const REFUSED = "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You " +
  "need to modify this function to use a supported handler signature to use Node.js 24 or later. " + SEE;
const REFUSED_BY_22 =
  "ERROR: AWS Lambda does not support callback-based function handlers when using Node.js 22 with Managed Instances. To " +
  "use Managed Instances, modify this function to use a supported handler signature. " + SEE;
const WILL_BE_REFUSED =
  "AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. You will need to " +
  "update this function to use an async handler to use Node.js 24 or later. For more information and to provide feedback " +
  "on this change, see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this " +
  "warning, set the AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.";
const NEVER_SETTLED =
  "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was " +
  "never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";
const TOO_LATE =
  "Invocation has already been reported as done. Cannot call complete more than once per invocation.";

/** An error of the runtime's own, whose stack would show nothing of the function's. */
function ownError(kind, name, message) {
  const error = fault(kind, name, message);
  error.stack = `${name}: ${message}`;
  return error;
}

const isNothing = (value) => value === undefined || value === null;
const isAsync = (handler) => handler.constructor?.name === "AsyncFunction";

/** The answer of a handler by the older rules. Of the ways to give one, the first that is taken counts. */
class OlderAnswer {
  /** Whether it is that of a handler that was wrapped. */
  inner;
  promise;
  #meta;
  #isAsync;
  #resolve;
  #reject;
  #isGiven = false;
  #isOver = false;
  #held;

  constructor(meta, handler, inner) {
    this.#meta = meta;
    this.#isAsync = isAsync(handler);
    this.inner = inner;
    ({ promise: this.promise, resolve: this.#resolve, reject: this.#reject } = Promise
      .withResolvers());
  }

  /** `context.done` and its like. */
  settle(error, value) {
    if (this.#isGiven) {
      return;
    }
    this.#isGiven = true;
    if (!isNothing(error)) {
      this.#reject(error);
    } else if (this.#isOver) {
      console.error(TOO_LATE);
    } else {
      this.#resolve(value);
    }
  }

  /** The third argument of a handler: a value waits for the event loop to empty, unless the context says otherwise. */
  callback(error, value) {
    if (!this.#isGiven && isNothing(error) && this.#meta.context.callbackWaitsForEmptyEventLoop) {
      this.#isGiven = true;
      this.#held = { value };
      host.holdAnswer();
    } else {
      this.settle(error, value);
    }
  }

  /** Whether there is an answer that waits for the event loop to empty. */
  get holds() {
    return this.#held !== undefined;
  }

  /** Nothing is left to do: a value that was held goes out, else the handler has forgotten to answer. */
  empty() {
    if (this.#held === undefined && this.#isAsync) {
      this.#reject(ownError("NeverSettled", "Runtime.NodeJsExit", NEVER_SETTLED));
    } else {
      this.#isOver = true;
      this.#resolve(this.#held === undefined ? null : this.#held.value);
    }
  }
}

/** Calls a handler by the older rules; gives a promise of its answer. `inner` says that it is called by what wraps it. */
export function callOlder(handler, event, context, meta, inner) {
  meta.handled = true;
  if (markedOf(handler) !== handler) {
    // It answers through its stream.
    meta.answer = null;
    return inner ? handler(event, context) : handle(meta, handler, event, context);
  }
  const answer = meta.answer = new OlderAnswer(meta, handler, inner);
  (meta.waiting ??= []).push(answer);
  const callback = (error, value) => answer.callback(error, value);
  try {
    const result = inner
      ? handler(event, context, callback)
      : handle(meta, handler, event, context, callback);
    if (isThenable(result)) {
      Promise.resolve(result).then(
        (value) => answer.settle(null, value),
        (error) => answer.settle(isNothing(error) ? "handled" : error),
      );
    }
    // Any other value is ignored.
  } catch (thrown) {
    answer.callback(thrown);
  }
  return answer.promise;
}

/** Calls a handler by the newer rules; gives what it returns. */
export function callNewer(handler, event, context, meta, inner) {
  meta.handled = true;
  meta.answer = null;
  return inner ? handler(event, context) : handle(meta, handler, event, context);
}

const olderStep = (value, name) => value && value[name];
const newerStep = (value, name) =>
  value !== null && typeof value === "object" ? value[name] : undefined;

/** What a module exports by this path, as a generation looks for it. */
export function exportByRules(namespace, path) {
  if (isOlder) {
    return path.reduce(olderStep, namespace);
  }
  const [first, ...rest] = path;
  if (core.isModuleNamespaceObject(namespace)) {
    return path.reduce(newerStep, namespace) || path.reduce(newerStep, namespace.default);
  }
  // What an ES module sees of a CommonJS one: its members, and all of it as the default export.
  const named = first === "default" ? namespace : namespace?.[first];
  return rest.reduce(newerStep, named) || path.reduce(newerStep, namespace);
}

/** Refuses a handler that the newer rules have no place for; the older ones warn of that. */
export function checkHandler(handler, isStreaming) {
  if (isStreaming) {
    return;
  }
  if (isNewer && handler.length >= 3) {
    const message = isManaged22 ? REFUSED_BY_22 : REFUSED;
    throw ownError("HandlerNotFound", "Runtime.CallbackHandlerDeprecated", message);
  }
  if (isOlder && handler.length === 3 && !isAsync(handler) && !host.hushesCallbacks) {
    console.warn(WILL_BE_REFUSED);
  }
}
