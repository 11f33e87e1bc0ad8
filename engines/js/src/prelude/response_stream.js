// The second argument of handlers that write their answer as a stream: one of Node's that ends at the invocation's caller,
// with the members that Lambda's own client gives it.
import { core } from "ext:core/mod.js";
import { currentMeta, receiverOf } from "ext:trine_prelude/context.js";
import { fault, isThenable } from "ext:trine_prelude/marshal.js";
import { isNewer, isOlder } from "ext:trine_prelude/rules.js";
import { BYTES, Sink } from "ext:trine_prelude/stream.js";

/** The marks of such a handler: `response`, and how many bytes may wait in its stream. */
export const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
export const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

/** Sets the status, headers and cookies of a response stream that is ours. */
export const kSetMetadata = Symbol("setMetadata");

/** Members that are used apart from their stream: `const { write } = responseStream`. */
const BOUND = [
  "cork",
  "destroy",
  "end",
  "uncork",
  "write",
  "addListener",
  "emit",
  "eventNames",
  "getMaxListeners",
  "listenerCount",
  "listeners",
  "off",
  "on",
  "once",
  "prependListener",
  "prependOnceListener",
  "rawListeners",
  "removeAllListeners",
  "removeListener",
  "setMaxListeners",
  "setContentType",
];

/** Errors of Node's of who works with a stream that was closed under its hands. */
const OF_A_CLOSED_STREAM = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED", "ECONNRESET"]);

const invalid = (message) => {
  const error = new Error(message);
  error.name = "Runtime.InvalidStreamingOperation";
  return error;
};
/** What is thrown for a handler that does not do as such handlers must: the older rules have a text for it. */
function misused(message) {
  if (isOlder) {
    return message;
  }
  return isNewer ? new Error(message) : invalid(message);
}
const unfinished = () => misused("Response stream is not finished.");

/** What is written for a chunk: values other than text and bytes as JSON. What has none is refused by Node's stream. */
function written(chunk) {
  const isRaw = typeof chunk === "string" || chunk === null || chunk instanceof Uint8Array ||
    Object.prototype.toString.call(chunk) === "[object Uint8Array]";
  return isRaw ? chunk : JSON.stringify(chunk);
}

/** Defines the class, which is loaded with Node's streams where a handler needs it. */
function define() {
  // The whole module: parts of it complete each other.
  const { Writable } = core.createLazyLoader("node:stream")();
  return class ResponseStream extends Writable {
    #sink;
    #begun = false;
    #contentType;
    #metadata;
    /** Called with a function that writes, before the first chunk is written. */
    _onBeforeFirstWrite = undefined;

    constructor(sink, highWaterMark) {
      super(highWaterMark === undefined ? undefined : { highWaterMark });
      this.#sink = sink;
      for (const name of BOUND) {
        this[name] = this[name].bind(this);
      }
      // The invocation fails with it, whether or not anybody else listens.
      this.on("error", () => {});
      sink.whenGone((reason) => this.destroy(reason));
    }

    setContentType(contentType) {
      this.#refuseLate();
      this.#contentType = String(contentType);
    }

    [kSetMetadata](metadata) {
      this.#refuseLate();
      this.#contentType = undefined;
      this.#metadata = metadata;
    }

    #refuseLate() {
      if (this.#begun) {
        throw invalid("Cannot set content-type, too late.");
      }
    }

    #begin() {
      if (this.#begun || this.writableEnded || this.destroyed) {
        return;
      }
      this.#begun = true;
      const contentType = this.#contentType ?? (this.#metadata === undefined ? BYTES : undefined);
      this.#sink.head(contentType, this.#metadata);
      if (typeof this._onBeforeFirstWrite === "function") {
        this._onBeforeFirstWrite((chunk) => super.write(chunk));
      }
    }

    write(chunk, encoding, callback) {
      const data = written(chunk);
      if (data !== null && data !== undefined) {
        this.#begin();
      }
      return super.write(data, encoding, callback);
    }

    end(chunk, encoding, callback) {
      if (typeof chunk === "function") {
        [chunk, callback] = [undefined, chunk];
      }
      // Status and headers go out though nothing follows them.
      this.#begin();
      const isChunk = chunk !== null && chunk !== undefined;
      return super.end(isChunk ? written(chunk) : undefined, encoding, callback);
    }

    _write(chunk, _encoding, callback) {
      let hasRoom;
      try {
        hasRoom = this.#sink.write(chunk);
      } catch (error) {
        callback(error);
        return;
      }
      if (hasRoom) {
        callback();
      } else {
        this.#sink.whenReady(() => callback(this.#sink.gone));
      }
    }

    _final(callback) {
      try {
        this.#sink.end();
        callback();
      } catch (error) {
        callback(error);
      }
    }

    /** Waits for the end of what is written. */
    async done(meta) {
      if (!this.writableFinished && !this.closed) {
        await new Promise((resolve, reject) => {
          this.once("finish", resolve);
          this.once("close", resolve);
          // Nothing is left that could write or end it.
          (meta.waiting ??= []).push({ empty: () => reject(unfinished()) });
        });
      }
      // Whatever fails once all is written has its listeners.
      if (this.errored !== null && !this.writableFinished) {
        throw this.errored;
      }
      if (!this.writableFinished) {
        throw unfinished();
      }
    }

    /** Whether the client was gone, and this is what its writer made of that. */
    isLost(error) {
      const { gone } = this.#sink;
      return gone !== undefined &&
        (error === gone || error?.cause === gone || OF_A_CLOSED_STREAM.has(error?.code));
    }
  };
}

let ResponseStream;

async function run(receiver, highWaterMark, event, context) {
  const meta = currentMeta();
  for (const name of ["done", "succeed", "fail"]) {
    // They answer with a value.
    Reflect.deleteProperty(context, name);
  }
  const stream = new ResponseStream(new Sink(meta), highWaterMark);
  try {
    const result = receiver.handler(event, stream, context);
    if (!isThenable(result)) {
      throw misused("Streaming does not support non-async handlers.");
    }
    if (await result !== undefined) {
      console.warn("Streaming handlers ignore return values.");
    }
    await stream.done(meta);
  } catch (error) {
    stream.destroy();
    if (!stream.isLost(error)) {
      throw error;
    }
  }
}

function highWaterMarkOf(handler) {
  const mark = Number.parseInt(handler[HIGH_WATER_MARK]);
  return Number.isNaN(mark) ? undefined : mark;
}

/** Whether a value is the stream of a handler. */
export function isResponseStream(value) {
  return typeof value?.[kSetMetadata] === "function";
}

/** The handlers that were marked, by the functions that are called for them. */
const marked = new WeakMap();

/** The handler that a function is called for. */
export function markedOf(called) {
  return marked.get(called) ?? called;
}

/** Marks what stands for a handler, if the handler is marked. */
export function mark(stand, called) {
  if (marked.has(called)) {
    stand[STREAMING] = "response";
  }
}

/** The function to call for a handler: one that is marked as streaming gets its stream from it. */
export function asCalled(handler) {
  const mark = handler[STREAMING];
  if (mark === undefined || mark === null || mark === false) {
    return handler;
  }
  if (mark !== "response") {
    throw fault(
      "HandlerNotFound",
      "Runtime.MalformedStreamingHandler",
      "Only response streaming is supported.",
    );
  }
  ResponseStream ??= define();
  const highWaterMark = highWaterMarkOf(handler);
  const receiver = receiverOf(handler, true);
  const called = (event, context) => run(receiver, highWaterMark, event, context);
  marked.set(called, handler);
  return called;
}
