// An answer in pieces: which results of a handler are one, and the way of their chunks to whoever reads them, no faster
// than that one does.
import { core, internals } from "ext:core/mod.js";
import { host, within } from "ext:trine_prelude/context.js";
import { fault, isThenable, toLine } from "ext:trine_prelude/marshal.js";

/** What became of a chunk; `Written` in Rust. */
const GONE = 2;

/** What streams that nobody has given a media type have, by their first chunk. */
const TEXT = "text/plain; charset=utf-8";
export const BYTES = "application/octet-stream";
const JSON_LINES = "application/x-ndjson";

const { getPrototypeOf, prototype: ObjectPrototype } = Object;
const ArrayPrototype = Array.prototype;
const IteratorPrototype = Iterator.prototype;
const isView = ArrayBuffer.isView;
const toString = ObjectPrototype.toString;

const classOf = (value) => Reflect.apply(toString, value, []);

/** The error of who writes when nobody reads any more, as sockets have it. */
function goneError() {
  const error = new Error("the client is gone: nobody reads the response any more");
  return Object.assign(error, { code: "ECONNRESET", errno: -104, syscall: "write" });
}

/** The guest's end of an invocation's stream. */
export class Sink {
  #slot;
  #resume;
  #leave = [];
  /** The error of who writes, once nobody reads any more. */
  gone;

  constructor(meta) {
    this.#slot = meta.slot;
    host.streamOpen(meta.slot);
    meta.sink = this;
  }

  /** Sets what is known before the first chunk: a media type, or JSON text of status, headers and cookies. */
  head(contentType, metadata) {
    host.streamHead(this.#slot, contentType, metadata);
  }

  /** Writes a text or bytes. Returns whether there is room for more. */
  write(chunk) {
    const written = host.streamWrite(this.#slot, chunk);
    if (written === GONE) {
      this.#lose();
    }
    return written === 0;
  }

  /** Calls back once there is room and the reader has had its turn, or nobody reads any more. */
  whenReady(callback) {
    if (this.gone !== undefined) {
      callback();
      return;
    }
    this.#resume = internals.trineContext.within(core.getAsyncContext(), callback);
    host.streamWait(this.#slot);
  }

  /** Calls back when nobody reads any more. */
  whenGone(callback) {
    this.#leave.push(callback);
  }

  end() {
    host.streamEnd(this.#slot);
  }

  #lose() {
    if (this.gone === undefined) {
      this.gone = goneError();
      this.#leave.forEach((leave) => leave(this.gone));
    }
  }

  /** What Rust has to tell. */
  hear(isGone) {
    if (isGone) {
      this.#lose();
    }
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

/** Whether a value is a response of the Web's, of whatever realm or package. */
function isResponse(value) {
  return classOf(value) === "[object Response]" && typeof value.status === "number" &&
    typeof value.headers?.forEach === "function";
}

/** Whether a handler's result is given out in pieces. What has a JSON form of its own is a value. */
export function isStream(value) {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const prototype = getPrototypeOf(value);
  if (prototype === ObjectPrototype || prototype === ArrayPrototype) {
    return typeof value[Symbol.asyncIterator] === "function";
  }
  if (typeof value.toJSON === "function") {
    return false;
  }
  return typeof value[Symbol.asyncIterator] === "function" ||
    isIterator(value) || classOf(value) === "[object ReadableStream]" || isResponse(value);
}

/** Whether a value is an iterator of the language's own, such as a generator. */
function isIterator(value) {
  return typeof value.next === "function" &&
    (Object.prototype.isPrototypeOf.call(IteratorPrototype, value) ||
      classOf(value) === "[object Generator]");
}

/** Headers that are about one connection. */
const OF_A_CONNECTION = new Set(["connection", "keep-alive", "transfer-encoding"]);

function refusal(reason) {
  return fault("Marshal", "Runtime.InvalidResponse", `the handler returned ${reason}`);
}

/** The JSON text of a response's status, headers and cookies. */
function metadataOf(response) {
  if (response.status === 0) {
    throw refusal("Response.error(), which stands for a failed request and has no status");
  }
  if (response.bodyUsed) {
    throw refusal("a Response whose body was read before");
  }
  const headers = {};
  const cookies = [];
  response.headers.forEach((value, name) => {
    if (name === "set-cookie") {
      // Some packages' headers give all of them in one, and apart by a method of their own.
      const apart = response.headers.raw?.()[name];
      cookies.push(...(apart ?? [value]));
    } else if (!OF_A_CONNECTION.has(name)) {
      headers[name] = value;
    }
  });
  if (response.body !== null && headers["content-type"] === undefined) {
    headers["content-type"] = BYTES;
  }
  const metadata = { statusCode: response.status, headers };
  if (cookies.length > 0) {
    metadata.cookies = cookies;
  }
  return JSON.stringify(metadata);
}

/** Destroys a stream of Node's. Settles when it is closed, if it tells. */
function closed(stream) {
  const { closeEmitted = true, emitClose } = stream._readableState ?? {};
  if (closeEmitted || emitClose === false) {
    stream.destroy();
    return undefined;
  }
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.destroy();
  });
}

/** A way to take one chunk after the other from a value, and to say that no more is wanted. */
function sourceOf(value) {
  if (typeof value.getReader === "function") {
    const reader = value.getReader();
    return { next: () => reader.read(), stop: (reason) => reader.cancel(reason) };
  }
  if (typeof value[Symbol.asyncIterator] === "function") {
    const iterator = value[Symbol.asyncIterator]();
    // A stream of Node's that waits for data would not hear its iterator before there are some.
    const isNodes = typeof value.pipe === "function" && typeof value.destroy === "function";
    return {
      next: () => iterator.next(),
      stop: isNodes ? () => closed(value) : () => iterator.return?.(),
    };
  }
  return {
    next: async () => {
      const step = value.next();
      return isThenable(step.value) ? { done: step.done, value: await step.value } : step;
    },
    stop: () => value.return?.(),
  };
}

/** What is sent for a chunk, and the media type of a stream that begins with it. */
function sent(chunk) {
  if (typeof chunk === "string") {
    return [chunk, TEXT];
  }
  if (isView(chunk)) {
    return [chunk, BYTES];
  }
  const isBuffer = typeof chunk === "object" && chunk !== null && typeof chunk.toJSON !== "function" &&
    (chunk instanceof ArrayBuffer || classOf(chunk) === "[object ArrayBuffer]");
  return isBuffer ? [new Uint8Array(chunk), BYTES] : [toLine(chunk), JSON_LINES];
}

/** Takes all chunks of a source to the reader. */
function pump(source, sink, hasHead) {
  const { promise, resolve, reject } = Promise.withResolvers();
  let stopped;
  sink.whenGone((reason) => {
    // Not as part of the loop, which may wait for a chunk that never comes.
    stopped = (async () => await source.stop(reason))();
    stopped.then(resolve, reject);
  });
  const run = async () => {
    for (;;) {
      const { done, value } = await source.next();
      if (sink.gone !== undefined) {
        return await stopped;
      }
      if (done) {
        return undefined;
      }
      try {
        const [chunk, contentType] = sent(value);
        if (!hasHead) {
          sink.head(contentType, undefined);
          hasHead = true;
        }
        sink.write(chunk);
      } catch (error) {
        await (async () => await source.stop(error))().catch(() => {});
        throw error;
      }
      await new Promise((ready) => sink.whenReady(ready));
    }
  };
  // What is stopped may fail because of it.
  run().then(resolve, (error) => sink.gone === undefined && reject(error));
  return promise;
}

async function deliver(value, sink) {
  let body = value;
  let hasHead = false;
  if (isResponse(value)) {
    sink.head(undefined, metadataOf(value));
    hasHead = true;
    body = value.body;
  }
  if (body !== null && body !== undefined) {
    await pump(sourceOf(body), sink, hasHead);
  }
  sink.end();
}

/** Gives a result out in pieces. Settles when the last one is on its way. */
export function send(value, meta) {
  return within(meta, () => deliver(value, new Sink(meta)));
}
