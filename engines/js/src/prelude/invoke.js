// Calls handlers and hooks. One call from Rust per invocation: parsing, context, handler and stringifying happen here,
// because each crossing between Rust and JavaScript costs more than they do.
import { core } from "ext:core/mod.js";
import { Context, handle, host, within } from "ext:trine_prelude/context.js";
import { asError, Failure } from "ext:trine_prelude/errors.js";
import { checkPlain, warn as warnOf, warningOf } from "ext:trine_prelude/exchange.js";
import { callNewer, callOlder } from "ext:trine_prelude/generations.js";
import { whatItIs } from "ext:trine_prelude/loader.js";
import { fault, isThenable, parseEvent, toResponse, toText } from "ext:trine_prelude/marshal.js";
import { declaresCallback, takesCallback } from "ext:trine_prelude/parameters.js";
import { endProgram, runProgram } from "ext:trine_prelude/program.js";
import { asCalled, isResponseStream, mark, markedOf } from "ext:trine_prelude/response_stream.js";
import { isNewer, isOlder, isPermissive } from "ext:trine_prelude/rules.js";
import { isStream, send } from "ext:trine_prelude/stream.js";

/** What is called; `Kind` in Rust. */
const HANDLER = 0;
const HOOK_WITH_VALUE = 1;
const ERROR_HOOK = 3;
const PROGRAM = 4;

/** The facts of the invocations in flight, in the places that Rust gave them. */
const metas = [];

const toBox = (value) => [value];
const fail = (thrown) => new Failure(thrown, undefined, false);

/** Thrown in place of a handler's result that is given out in pieces, for whoever knows the invocation. */
class Pieces {
  constructor(value, finish) {
    this.value = value;
    this.finish = finish;
  }
}

/** `finish` of a handler's result. */
function finisherOf(finish) {
  return (value) => {
    if (isStream(value)) {
      throw new Pieces(value, finish);
    }
    return finish(value);
  };
}

const toAnswerText = finisherOf(toText);
const toAnswerBox = finisherOf(toBox);
const toAnswerResponse = finisherOf(toResponse);

/** What makes a result into the form in which it is wanted; `Given` in Rust has their numbers. */
const FINISH = [toBox, toText, toResponse];
const FINISH_ANSWER = [toAnswerBox, toAnswerText, toAnswerResponse];

/** What a call comes to that has thrown this: a failure, or the promise that its answer has been given out. */
function failed(thrown, meta) {
  if (!(thrown instanceof Pieces)) {
    return new Failure(thrown, warningOf(thrown, meta), false);
  }
  return send(thrown.value, meta).then(() => thrown.finish(undefined))
    .catch((error) => new Failure(error, warningOf(error, meta), false));
}

/** The ways to answer other than by return value, as Node's handlers have them. The first answer counts. */
class Answer {
  /** Whether it is that of a handler that was wrapped. */
  inner;
  /** Whether it has been given, although it may be held yet. */
  given = false;
  #meta;
  #resolve;
  #reject;
  #held;
  /** Whether the handler has returned a promise. */
  #races = false;
  promise;

  constructor(meta, inner) {
    this.#meta = meta;
    this.inner = inner;
  }

  settle(error, value) {
    if (this.given) {
      return;
    }
    this.given = true;
    this.#open();
    if (error !== null && error !== undefined) {
      this.#reject(error);
    } else {
      this.#resolve(value);
    }
  }

  /** The third argument of a handler: like `settle`, but a value waits for the event loop to empty if so asked. */
  callback(error, value) {
    const waits = isOfLambda(this.#meta) &&
      (this.#meta.context?.callbackWaitsForEmptyEventLoop ?? true);
    if (!this.given && (error === null || error === undefined) && waits) {
      this.given = true;
      this.#open();
      this.#held = { value };
      host.holdAnswer();
    } else {
      this.settle(error, value);
    }
  }

  #open() {
    if (this.promise === undefined) {
      ({ promise: this.promise, resolve: this.#resolve, reject: this.#reject } = Promise
        .withResolvers());
    }
  }

  /** A promise of it, which the handler's undefined result stands for. */
  pending() {
    this.#open();
    (this.#meta.waiting ??= []).push(this);
    return this.promise;
  }

  /** A promise of whichever comes first, it or what the handler's promise comes to. */
  race(promise) {
    this.#races = true;
    return Promise.race([
      this.pending(),
      promise.then(
        (value) => this.given || this.#isAwaited(value) ? this.promise : value,
        (thrown) => this.given ? this.promise : Promise.reject(thrown),
      ),
    ]);
  }

  /** Whether the answer is still to come though the handler's promise has: its value is none. */
  #isAwaited(value) {
    if (value !== undefined || isOfLambda(this.#meta)) {
      return false;
    }
    this.#races = false;
    return true;
  }

  /** Whether there is an answer that waits for the event loop to empty. */
  get holds() {
    return this.#held !== undefined;
  }

  /**
   * The event loop is empty: the held value goes out, or `null` when there was no answer at all. Returns false where the
   * handler's promise is still to give one.
   */
  empty() {
    if (this.#races && !this.given) {
      return false;
    }
    this.#resolve(this.#held?.value ?? null);
    return true;
  }
}

/** Whether the handler was written for Lambda, and not for a platform whose handlers get plain data. */
function isOfLambda(meta) {
  return meta.plainContext === undefined;
}

/** Has the names of an event's headers, which have capitals, found in lower case as well. */
function addLowerCase(headers) {
  if (typeof headers !== "object" || headers === null || !Object.isExtensible(headers)) {
    return;
  }
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (!Object.hasOwn(headers, lower)) {
      const value = headers[name];
      Object.defineProperty(headers, lower, { value, writable: true, configurable: true });
    }
  }
}

export function contextOf(meta) {
  return meta.context ??= new Context(meta);
}

/** The ways to answer of the handler that runs now, made when they are first asked for. A hook has none (`null`). */
function answerOf(meta) {
  return meta.answer === undefined ? meta.answer = new Answer(meta, false) : meta.answer;
}

/** `context.done` and its like. */
export function settle(meta, name, error, value) {
  const answer = answerOf(meta);
  if (answer !== null) {
    answer.settle(error, value);
  } else if (!meta.handled) {
    throw new Error(
      `context.${name} is a handler's way to answer; a hook returns its answer, or calls context.reply`,
    );
  }
  // Else the handler has answered before.
}

const ANSWERS_BY_CONTEXT = /\b(?:done|succeed|fail)\b/;
const answersByContext = new WeakMap();

/** Whether a handler names one of the context's functions that answer. */
function namesContextAnswer(handler) {
  let names = answersByContext.get(handler);
  if (names === undefined) {
    names = ANSWERS_BY_CONTEXT.test(Function.prototype.toString.call(handler));
    answersByContext.set(handler, names);
  }
  return names;
}

/**
 * Whether a handler that has returned nothing may still answer through its context: when it has started something, or
 * names one of the functions for that, as those do whose connections to elsewhere stay open all the time.
 */
function mayAnswerLater(handler, meta) {
  return core.eventLoopHasMoreWork() && (!meta.leftovers || namesContextAnswer(handler));
}

/** Whether a result is a timer of Node's: what an arrow function returns whose expression starts one, to answer later. */
function isTimer(result) {
  if (typeof result !== "object" || result === null) {
    return false;
  }
  const kind = result.constructor?.name;
  return (kind === "Timeout" || kind === "Immediate") && typeof result.hasRef === "function";
}

/** The answer that a handler has given otherwise than by its result, if it has. That of one that was wrapped is its own. */
function givenOf(meta) {
  return meta.answer?.given && !meta.answer.inner ? meta.answer : undefined;
}

/** Finishes what a handler's promise comes to, unless an answer was given before, by whatever the handler has called. */
function finishFirst(promise, finish, meta) {
  return promise.then(
    (value) => givenOf(meta)?.pending().then(finish) ?? finish(value),
    (thrown) => givenOf(meta)?.pending().then(finish) ?? Promise.reject(thrown),
  );
}

/** What a handler's result stands for: a value, or a promise of it. `answer` is what it has for other ways to answer. */
function resultOf(result, answer, handler, meta) {
  if (isThenable(result)) {
    // The answer of a handler that was wrapped is none of what wraps it.
    const isOthers = answer === undefined && meta.answer?.inner;
    const mayAnswer = answer?.given || takesCallback(handler) || namesContextAnswer(handler);
    return mayAnswer && !isOthers
      ? (answer ?? answerOf(meta)).race(Promise.resolve(result))
      : result;
  }
  const isNone = result === undefined || isTimer(result);
  const waits = isNone && (takesCallback(handler) || mayAnswerLater(handler, meta));
  // Whoever declares a callback answers through it: what it returns is what its last expression happened to be.
  const declares = (isNone || isOfLambda(meta)) && declaresCallback(handler) && !isStream(result);
  if (answer?.given || declares || waits) {
    return (answer ?? answerOf(meta)).pending();
  }
  return result;
}

/** Calls a handler; gives its result, or a promise of it. */
function callHandler(handler, event, context, meta) {
  if (isOlder) {
    return callOlder(handler, event, context, meta, false);
  }
  if (isNewer) {
    return callNewer(handler, event, context, meta, false);
  }
  meta.answer = undefined;
  meta.handled = true;
  // One that comes when a hook has followed has no effect any more.
  const callback = (error, value) => answerOf(meta)?.callback(error, value);
  let result;
  try {
    result = handle(meta, handler, event, context, callback);
  } catch (thrown) {
    if (givenOf(meta) === undefined) {
      throw thrown;
    }
  }
  return resultOf(result, givenOf(meta), handler, meta);
}

/** Calls a handler that was wrapped, from inside of what wraps it. */
function callWrapped(handler, event, context, meta) {
  if (!isPermissive) {
    return (isOlder ? callOlder : callNewer)(handler, event, context, meta, true);
  }
  const answer = meta.answer = new Answer(meta, true);
  meta.handled = true;
  const callback = (error, value) => answer.callback(error, value);
  let result;
  try {
    result = handler(event, context, callback);
  } catch (thrown) {
    if (!answer.given) {
      throw thrown;
    }
  }
  return resultOf(result, answer, handler, meta);
}

/** What an `error` hook returns: an error replaces the one that it was given. */
function finishError(finish, meta) {
  return (result) =>
    result instanceof Error
      ? new Failure(result, warningOf(result, meta), true)
      : finish(result);
}

function callHook(kind, hook, value, parses, context, meta) {
  // A hook has none of a handler's ways to answer.
  meta.answer = null;
  if (kind === HOOK_WITH_VALUE) {
    const given = parses ? parseEvent(value) : value;
    return within(meta, () => hook(given, context));
  }
  if (kind === ERROR_HOOK) {
    const given = parses ? asError(parseEvent(value)) : value;
    return within(meta, () => hook(given, context));
  }
  return within(meta, () => hook(context));
}

/** Never throws: a failure is a value. Returns the result in the form that is asked for, or a promise of it. */
function call(kind, callee, value, parses, form, meta) {
  try {
    if (meta.leftovers) {
      host.leftovers();
    }
    let finish = FINISH[form];
    let result;
    if (kind === HANDLER) {
      if (isPermissive) {
        finish = FINISH_ANSWER[form];
      }
      const event = parses ? parseEvent(value) : value;
      if (meta.headers !== undefined) {
        addLowerCase(event?.[meta.headers]);
      }
      result = callHandler(callee, event, contextOf(meta), meta);
    } else if (kind === PROGRAM) {
      finish = toBox;
      result = runProgram(callee, value, meta);
    } else {
      result = callHook(kind, callee, value, parses, contextOf(meta), meta);
      if (kind === ERROR_HOOK) {
        finish = finishError(finish, meta);
      }
    }
    if (isThenable(result)) {
      const promise = Promise.resolve(result);
      const finished = kind === HANDLER && isPermissive
        ? finishFirst(promise, finish, meta)
        : promise.then(finish);
      return finished.catch((thrown) => failed(thrown, meta));
    }
    const finished = finish(result);
    // What a handler has begun may itself begin only with the next microtask.
    core.runMicrotasks();
    if (core.eventLoopHasMoreWork()) {
      host.work();
    }
    return finished;
  } catch (thrown) {
    return failed(thrown, meta);
  }
}

/** The facts of the invocation in this place. */
export function metaIn(slot) {
  return metas[slot];
}

/** Notes the facts of an invocation that this isolate has not met yet. `slot` is its place. */
export function enter(
  slot,
  requestId,
  deadlineMs,
  invokedFunctionArn,
  traceId,
  clientContext,
  identity,
  tenantId,
  functionName,
  w3c,
  plainContext,
  headers,
) {
  const before = metas[slot];
  if (before !== undefined) {
    // Its invocation has ended. What it left running must not reach into another one's state.
    before.slot = -1;
  }
  const meta = {
    slot,
    requestId,
    deadlineMs,
    invokedFunctionArn,
    traceId,
    clientContext,
    identity,
    tenantId,
    functionName,
    w3c,
    plainContext,
    headers,
    leftovers: core.eventLoopHasMoreWork(),
    context: undefined,
    answer: undefined,
    handled: false,
    web: undefined,
  };
  metas[slot] = meta;
  return meta;
}

/**
 * Calls a function for an invocation that this isolate has not met yet.
 *
 * @param {number} kind what is called
 * @param value the text of the event, or of what a hook gets; or that value itself
 * @param {boolean} parses whether `value` is JSON text
 * @param {number} form how the result is wanted: as a value in an array of one, as JSON text, or as `toResponse` has it
 * @param {number} slot the invocation's place
 */
export function invoke(
  kind,
  callee,
  value,
  parses,
  form,
  slot,
  requestId,
  deadlineMs,
  invokedFunctionArn,
  traceId,
  clientContext,
  identity,
  tenantId,
  functionName,
  w3c,
  plainContext,
  headers,
) {
  const meta = enter(
    slot,
    requestId,
    deadlineMs,
    invokedFunctionArn,
    traceId,
    clientContext,
    identity,
    tenantId,
    functionName,
    w3c,
    plainContext,
    headers,
  );
  return call(kind, callee, value, parses, form, meta);
}

/** Calls a function for an invocation that is known already. */
export function again(kind, callee, value, parses, form, slot) {
  return call(kind, callee, value, parses, form, metas[slot]);
}

/** The deadline of the invocation in this place is near. */
export function warn(slot) {
  warnOf(metas[slot]);
}

/** There is news of who reads the answer of the invocation in this place: that there is room, or that nobody reads any more. */
export function hearOfReader(slot, isGone) {
  const meta = metas[slot];
  meta?.sink?.hear(isGone);
  if (isGone) {
    meta?.web?.hearGone();
  }
}

/** A value's JSON text, or a failure. */
export function stringify(value) {
  try {
    return toText(value);
  } catch (thrown) {
    return fail(thrown);
  }
}

/** A value's JSON text where nothing is lost in it, or a failure. */
export function stringifyPlain(value) {
  try {
    checkPlain(value);
    return toText(value);
  } catch (thrown) {
    const reason = thrown instanceof RangeError ? "it is nested too deeply" : thrown?.message;
    return fail(fault("Marshal", "Runtime.MarshalError", String(reason)));
  }
}

/** The value of JSON text, in an array of one, or a failure. */
export function adopt(text) {
  try {
    return [parseEvent(text)];
  } catch (thrown) {
    return fail(thrown);
  }
}

/**
 * Calls a `wrap` hook. Gives the function that takes the handler's place, in an array of one, or a failure. Web applications are
 * wrapped as they are: `isWeb` says that the handler is one.
 */
export function wrap(wrapper, handler, isWeb) {
  const inner = async (event, context, ...rest) => {
    const meta = core.getAsyncContext()?.trine;
    if (meta === undefined) {
      throw new Error("a wrapped handler can be called during an invocation only");
    }
    if (isResponseStream(context)) {
      // As what wraps handlers of Lambda's own Node calls one that is marked.
      return await markedOf(handler)(event, context, rest[0] ?? contextOf(meta));
    }
    return await callWrapped(handler, event, context ?? contextOf(meta), meta);
  };
  mark(inner, handler);
  const finish = (wrapped) => {
    if (typeof wrapped !== "function") {
      throw fault(
        "HandlerNotFound",
        "Runtime.HandlerNotFound",
        `wrap returned ${whatItIs(wrapped)}, not a function that takes the handler's place`,
      );
    }
    return ["wrap", isWeb ? wrapped : asCalled(wrapped)];
  };
  try {
    const result = wrapper(isWeb ? handler : inner);
    return isThenable(result) ? Promise.resolve(result).then(finish).catch(fail) : finish(result);
  } catch (thrown) {
    return fail(thrown);
  }
}

/**
 * Called when a call for the invocation in this place still waits, and the event loop is empty, or full of other ones' work:
 * then only what was answered already goes out. Returns whether an answer is coming now.
 */
export function idle(slot, isEmpty) {
  const meta = metas[slot];
  if (meta?.web !== undefined && !meta.web.over) {
    return isEmpty && meta.web.idle();
  }
  const waiting = meta?.waiting ?? [];
  if (!isEmpty) {
    const held = waiting.findIndex((answer) => answer.holds);
    return held !== -1 && waiting.splice(held, 1)[0].empty() !== false;
  }
  while (waiting.length > 0) {
    if (waiting.pop().empty() !== false) {
      return true;
    }
  }
  return false;
}

/** What a program that asked for its end has come to. */
export function programEnd(slot, status) {
  // It was stopped where it stood: nobody has left its context.
  core.setAsyncContext(undefined);
  try {
    return toBox(endProgram(metas[slot], status));
  } catch (thrown) {
    return fail(thrown);
  }
}
