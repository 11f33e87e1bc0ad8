// What requests to both kinds of web applications have in common: what their call waits for, and the way of the response to
// whoever reads it.
import { host } from "ext:trine_prelude/context.js";
import { Failure } from "ext:trine_prelude/errors.js";
import { warningOf } from "ext:trine_prelude/exchange.js";
import { contextOf } from "ext:trine_prelude/invoke.js";
import { fault } from "ext:trine_prelude/marshal.js";
import { Sink } from "ext:trine_prelude/stream.js";

/** The error of an application that has ended, or waits for nothing any more, and has given no response. */
function noResponse(reason) {
  return fault("Guest", "Runtime.NoResponse", `the application has not answered the request: ${reason}`);
}

/** One request, and what becomes of its response. */
export class Exchange {
  meta;
  /** Whether the request was made of an event. */
  hasEvent;
  /** What the call waits for, beside its response: promises of the application's. */
  waits = 0;
  /** Whether the response is complete, as far as the application is concerned. */
  complete = false;
  /** Whether the client is gone. */
  gone = false;
  /** Whether the call is over. */
  over = false;
  /** The failure of the call, in an array of one. */
  failure;
  sink;
  #resolve;

  constructor(meta, hasEvent) {
    this.meta = meta;
    this.hasEvent = hasEvent;
    meta.web = this;
  }

  get slot() {
    return this.meta.slot;
  }

  get event() {
    const text = this.hasEvent ? host.webEvent(this.slot) : undefined;
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** The invocation's context, as functions of events get it. */
  get context() {
    return contextOf(this.meta);
  }

  /** Begins a response that is streamed. */
  begin(status, reason, fields) {
    this.sink = new Sink(this.meta);
    host.webHead(this.slot, status, reason, fields);
  }

  /** Has the call wait for a promise, whose failure is the call's. */
  waitFor(promise) {
    this.waits += 1;
    promise.then(() => this.#waited(), (error) => {
      this.failure ??= [error];
      this.#waited();
    });
  }

  #waited() {
    this.waits -= 1;
    this.check();
  }

  /** Ends the call with a failure. */
  fail(error) {
    this.failure ??= [error];
    this.close();
  }

  /** Ends the call if nothing of it is left. */
  check() {
    if (this.complete && this.waits === 0) {
      this.close();
    }
  }

  close() {
    if (!this.over) {
      this.over = true;
      this.#resolve?.(this.outcome());
    }
  }

  /** What the call has come to: undefined, or a failure. */
  outcome() {
    if (this.failure === undefined) {
      return undefined;
    }
    const [error] = this.failure;
    return new Failure(error, warningOf(error, this.meta), false);
  }

  /** The outcome, or a promise of it. */
  result() {
    return this.over ? this.outcome() : new Promise((resolve) => this.#resolve = resolve);
  }

  /** Nobody is there any more who could read the response. */
  hearGone() {
    if (!this.gone) {
      this.gone = true;
      this.lose();
    }
  }

  /** The event loop is empty. Returns whether the call is over because of that. */
  idle() {
    if (this.over) {
      return false;
    }
    if (!this.complete && !this.gone) {
      this.failure ??= [
        noResponse("nothing is left in the event loop that it could wait for"),
      ];
    }
    this.close();
    return true;
  }
}
