// Handlers that are listeners of a server of Node's: requests and responses of `node:http` without a socket below them.
import { core, internals } from "ext:core/mod.js";
import { host, within } from "ext:trine_prelude/context.js";
import { serverOf } from "ext:trine_prelude/interfaces.js";
import { fault, isThenable } from "ext:trine_prelude/marshal.js";
import { defineConnections } from "ext:trine_prelude/connections.js";
import { prepareHeads, readHead } from "ext:trine_prelude/node_head.js";
import { Exchange } from "ext:trine_prelude/web_exchange.js";

/** Where a response has its exchange. */
const kExchange = Symbol("exchange");

/** The bytes of a response that may wait before its writer is told to. */
const HIGH_WATER_MARK = 65536;

/** The numbers of the protocol's versions. */
const VERSIONS = { "1.0": [1, 0], "1.1": [1, 1], "2": [2, 0] };

/** What is loaded with `node:http`. */
let node;

/** Loads it. */
export function prepareNode() {
  if (node !== undefined) {
    return;
  }
  // Sets `process` up, without which nothing of Node's runs.
  globalThis.process.version;
  const { ServerResponse, kIncomingMessage, kServerResponse } = core.createLazyLoader(
    "node:_http_server",
  )();
  const { IncomingMessage } = core.createLazyLoader("node:_http_incoming")();
  const { kNeedDrain } = core.loadExtScript("ext:deno_node/internal/http.ts");
  const { connResetException } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
  const { nextTick } = core.loadExtScript("ext:deno_node/_next_tick.ts");
  prepareHeads();
  node = {
    Buffer,
    connResetException,
    IncomingMessage,
    kIncomingMessage,
    kNeedDrain,
    kServerResponse,
    nextTick,
    ServerResponse,
    ...defineConnections(),
  };
}

/** The reasons that go with statuses. */
let reasons;

/** Lets responses without a socket go their own way. Programs extend and replace the other methods of this prototype. */
internals.trineMendResponse = ({ ServerResponse, STATUS_CODES }) => {
  reasons = STATUS_CODES;
  const { prototype } = ServerResponse;
  const { _finish, _send, _storeHeader, _writeRaw, writeHead } = prototype;
  const { ERR_HTTP_INVALID_STATUS_CODE } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const define = (name, value) =>
    Object.defineProperty(prototype, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  define("_storeHeader", function (firstLine, headers) {
    const exchange = this[kExchange];
    if (exchange === undefined) {
      return Reflect.apply(_storeHeader, this, [firstLine, headers]);
    }
    exchange.store(this, headers);
    this._header = `${firstLine}\r\n`;
    return undefined;
  });
  define("writeHead", function (status, reason, headers) {
    const number = status | 0;
    if (!this._header && (number < 100 || number > 999)) {
      // Deno's error is another one than Node's.
      throw new ERR_HTTP_INVALID_STATUS_CODE(status);
    }
    return Reflect.apply(writeHead, this, [status, reason, headers]);
  });
  define("_send", function (data, encoding, callback) {
    const exchange = this[kExchange];
    return exchange === undefined
      ? Reflect.apply(_send, this, [data, encoding, callback])
      : exchange.send(data, encoding, callback);
  });
  define("_writeRaw", function (data, encoding, callback) {
    if (this[kExchange] === undefined) {
      return Reflect.apply(_writeRaw, this, [data, encoding, callback]);
    }
    // What is said before a response is not passed on.
    const called = typeof encoding === "function" ? encoding : callback;
    if (typeof called === "function") {
      node.nextTick(called);
    }
    return true;
  });
  define("_finish", function () {
    this[kExchange]?.end();
    return Reflect.apply(_finish, this, []);
  });
};

/** A request and a response of Node's. */
export class NodeExchange extends Exchange {
  server;
  request;
  response;
  connection;
  /** Whether the listener runs: what it writes waits until it returns. */
  isListening = true;
  #status = 200;
  #reason;
  #fields = "";
  #allowsTrailers = false;
  /** Data and encodings by turns. */
  #chunks = [];
  #size = 0;
  #callbacks = [];
  #isScheduled = false;
  #wantsHead = false;
  #isFull = false;
  #isEnded = false;
  #isSent = false;
  #hasNone = false;
  #isTaken = false;
  #isArriving = false;
  #isAsked = false;
  /** Whether the response was complete before the request's body, which somebody still reads. */
  #isReading = false;
  #peers;

  constructor(meta, hasEvent, server) {
    super(meta, hasEvent);
    this.server = server;
  }

  /** Makes the request and the response. */
  receive(method, target, version, headers) {
    const { server } = this;
    const Request = server?.[node.kIncomingMessage] ?? node.IncomingMessage;
    const Response = server?.[node.kServerResponse] ?? node.ServerResponse;
    const connection = this.connection = new node.Connection(this);
    const request = this.request = new Request(connection);
    const [major, minor] = VERSIONS[version] ?? VERSIONS["1.1"];
    request.httpVersionMajor = major;
    request.httpVersionMinor = minor;
    request.httpVersion = version === "2" ? "2.0" : version;
    request.method = method;
    request.url = target;
    request._addHeaderLines(headers, headers.length);
    if (this.hasEvent) {
      this.#addEvent(request);
    }
    const response = this.response = new Response(request);
    response[kExchange] = this;
    connection._httpMessage = response;
    response.socket = connection;
  }

  #addEvent(request) {
    let event;
    const exchange = this;
    const getEvent = () => event ??= exchange.event;
    const gateway = {
      get event() {
        return getEvent();
      },
      get context() {
        return exchange.context;
      },
    };
    Object.defineProperties(request, {
      event: { get: getEvent, set: (value) => event = value, configurable: true },
      apiGateway: { value: gateway, writable: true, configurable: true },
    });
  }

  /** The addresses of both ends. */
  get peers() {
    return this.#peers ??= host.webPeers(this.slot) ?? [];
  }

  /** Takes the head of the response. */
  store(response, headers) {
    const { fields, allowsTrailers } = readHead(response, headers);
    response.chunkedEncoding = false;
    this.#allowsTrailers = allowsTrailers;
    this.#status = response.statusCode;
    const { statusMessage } = response;
    this.#reason = statusMessage === reasons[response.statusCode] ? undefined : statusMessage;
    this.#fields = fields;
  }

  /** Takes a piece of the response. Returns whether there is room for more. */
  send(data, encoding, callback) {
    this.response._headerSent = true;
    if (data.length > 0) {
      this.#chunks.push(data, encoding);
      this.#size += data.length;
    } else if (typeof callback !== "function") {
      this.#wantsHead = true;
    }
    if (typeof callback === "function") {
      this.#callbacks.push(callback);
    }
    this.#schedule();
    return !this.#isFull && this.#size < HIGH_WATER_MARK;
  }

  /** What waits, in bytes or characters. Never nothing, while the response is not complete: Node's code asks. */
  get pending() {
    return this.#size || 1;
  }

  /** The response has all of its body. */
  end() {
    this.#isEnded = true;
    this.#schedule();
  }

  #schedule() {
    if (!this.#isScheduled && !this.isListening) {
      this.#isScheduled = true;
      node.nextTick(() => this.flush());
    }
  }

  /** Lets what was written go out. */
  flush() {
    this.#isScheduled = false;
    const { response } = this;
    if (this.over || this.#isSent || this.connection.destroyed || response._header === null) {
      return;
    }
    const isWhole = this.#isEnded && this.sink === undefined && this.waits === 0;
    if (isWhole && !this.#reads() && this.#trailers() === undefined) {
      const body = this.#takeBody();
      host.webRespond(this.slot, this.#status, this.#reason, this.#fields, body);
      this.#finish();
      return;
    }
    if (this.sink === undefined) {
      if (this.#chunks.length === 0 && !this.#wantsHead && !this.#isEnded) {
        return;
      }
      this.begin(this.#status, this.#reason, this.#fields);
    }
    this.#write();
  }

  #write() {
    const { sink } = this;
    const body = this.#takeBody();
    let hasRoom = true;
    try {
      if (body !== undefined) {
        hasRoom = sink.write(body);
      }
      if (this.#isEnded) {
        const trailers = this.#trailers();
        if (trailers !== undefined) {
          host.webTrailers(this.slot, trailers);
        }
        sink.end();
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.#isEnded) {
      this.#finish();
    } else if (hasRoom) {
      this.#written();
    } else {
      this.#isFull = true;
      sink.whenReady(() => {
        this.#isFull = false;
        if (!this.connection.destroyed) {
          within(this.meta, () => this.#written());
        }
      });
    }
  }

  /** What was written is on its way. */
  #written() {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    callbacks.forEach((callback) => callback());
    const { response } = this;
    if (!response.finished && response[node.kNeedDrain] && !this.#isFull) {
      response[node.kNeedDrain] = false;
      response.emit("drain");
    }
  }

  #takeBody() {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#size = 0;
    if (chunks.length === 0) {
      return undefined;
    }
    if (chunks.length === 2) {
      return encoded(chunks[0], chunks[1]);
    }
    const parts = [];
    for (let at = 0; at < chunks.length; at += 2) {
      const part = encoded(chunks[at], chunks[at + 1]);
      parts.push(typeof part === "string" ? node.Buffer.from(part) : part);
    }
    return node.Buffer.concat(parts);
  }

  #trailers() {
    const text = this.response._trailer;
    if (text === "" || !this.#allowsTrailers) {
      return undefined;
    }
    return text.replace(/^([^:]*): (.*)\r\n/gm, "$1\n$2\n");
  }

  /** The response is complete, and on its way. */
  #finish() {
    const { connection, request, response } = this;
    this.#isSent = true;
    connection.release();
    response.socket = null;
    try {
      this.#written();
      this.#isReading = this.#reads();
      if (!this.#isReading) {
        this.#dump(request);
      }
      const close = () => {
        response.destroyed = true;
        response._closed = true;
        response.emit("close");
      };
      // What was written after the end is told of before.
      core.hasTickScheduled() ? node.nextTick(close) : close();
    } finally {
      this.complete = true;
      this.check();
    }
  }

  /** Whether somebody reads a body that has not come whole. */
  #reads() {
    const { request } = this;
    return this.#isArriving && !request.complete && !request.destroyed &&
      request._readableState.flowing === true;
  }

  /** Lets go of a request that nobody reads any more. */
  #dump(request) {
    if (request.destroyed) {
      return;
    }
    if (request.listenerCount("end") + request.listenerCount("close") === 0) {
      if (!request._consuming) {
        request._dumpAndCloseReadable();
      }
    } else if (this.#isArriving && !request.complete) {
      this.#abort(undefined);
    } else if (!request._consuming) {
      request._dump();
      this.read();
    }
  }

  check() {
    if (this.#isReading && this.#reads()) {
      return;
    }
    super.check();
  }

  /** What comes over the connection is no body, as long as no other protocol is agreed on. */
  hasNoBody() {
    this.#hasNone = true;
  }

  /** The request wants to be read. */
  read() {
    const { request } = this;
    if (request.complete || this.#isAsked) {
      return;
    }
    if (!this.#isTaken) {
      this.#isTaken = true;
      const taken = this.#hasNone ? undefined : host.webBody(this.slot);
      this.#isArriving = taken === true;
      if (!this.#isArriving) {
        request.complete = true;
        if (taken !== undefined) {
          request.push(bufferOf(taken));
        }
        request.push(null);
        return;
      }
    }
    this.#isAsked = true;
    if (this.over || !host.webRead(this.slot)) {
      this.hearBody(null, "the request has ended");
    }
  }

  /** Bytes of the body, or its end. */
  hearBody(chunk, failure, trailers) {
    this.#isAsked = false;
    within(this.meta, () => this.#take(chunk, failure, trailers));
  }

  #take(chunk, failure, trailers) {
    const { request } = this;
    if (request.destroyed) {
      host.webDrop(this.slot);
    } else if (failure !== undefined) {
      this.#abort(new Error(failure));
    } else if (chunk === null) {
      request.complete = true;
      if (trailers !== undefined) {
        request._addHeaderLines(trailers, trailers.length);
      }
      request.push(null);
      this.check();
    } else if (request.push(bufferOf(chunk))) {
      this.read();
    }
  }

  /** The body does not come whole. The response may go on all the same. */
  #abort(cause) {
    const { request } = this;
    const error = node.connResetException("aborted");
    if (cause !== undefined) {
      error.cause = cause;
    }
    const { socket } = request;
    request.socket = null;
    request.destroy(cause === undefined && this.#isSent ? undefined : error);
    request.socket = socket;
    host.webDrop(this.slot);
    this.check();
  }

  /** The error of an application that destroys the connection. */
  destroyedError() {
    return destroyed();
  }

  /** The client is gone. */
  lose() {
    if (!this.#isSent) {
      within(this.meta, () => this.disconnect(undefined));
    }
  }

  /** The connection ends, by the client, or by the application, before the response is complete. */
  disconnect(error) {
    const { connection, request, response } = this;
    if (connection.destroyed) {
      return;
    }
    connection.release();
    connection.destroyed = true;
    if (!this.#isSent && !this.gone) {
      this.failure ??= [error ?? destroyed()];
    }
    const close = () => {
      try {
        if (!request.destroyed) {
          this.#abort(undefined);
        }
        if (error !== undefined && error !== null && connection.listenerCount("error") > 0) {
          connection.emit("error", error);
        }
        connection.emit("close", Boolean(error));
        if (!this.#isSent) {
          response.destroyed = true;
          response._closed = true;
          response.emit("close");
        }
      } finally {
        this.complete = true;
        this.#isReading = false;
        this.failure !== undefined ? this.close() : this.check();
      }
    };
    node.nextTick(close);
  }
}

/** The error of an application that destroys a connection and does not say why. */
function destroyed() {
  const message = "the application has destroyed the connection before its response was complete";
  return fault("Guest", "Runtime.ConnectionDestroyed", message);
}

/** Data as it is sent: a text that becomes UTF-8, or bytes. */
function encoded(data, encoding) {
  const isText = typeof data === "string" &&
    (!encoding || encoding === "utf8" || encoding === "utf-8");
  return isText || typeof data !== "string" ? data : node.Buffer.from(data, encoding);
}

function bufferOf(bytes) {
  return node.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Calls a listener with a request. */
export function serveNode(callee, method, target, version, hasEvent, upgrades, meta) {
  const server = serverOf(callee);
  const exchange = new NodeExchange(meta, hasEvent, server);
  const headers = host.webHeaders(meta.slot);
  exchange.receive(method, target, version, headers);
  const { request, response } = exchange;
  if (upgrades) {
    if (server !== undefined && server.listenerCount("upgrade") > 0) {
      return serveUpgrade(exchange);
    }
    exchange.hasNoBody();
  }
  const result = within(meta, callee, request, response);
  if (isThenable(result)) {
    exchange.waits += 1;
    Promise.resolve(result).then(() => {
      exchange.waits -= 1;
      exchange.check();
    }, (error) => exchange.fail(error));
  }
  core.runMicrotasks();
  exchange.isListening = false;
  within(meta, flush, exchange);
  return exchange.result();
}

const flush = (exchange) => exchange.flush();

function serveUpgrade(exchange) {
  const { meta, request, server } = exchange;
  const socket = new node.RawSocket(exchange);
  request.upgrade = true;
  request.complete = true;
  request.socket = socket;
  request.client = socket;
  exchange.hearBody = (chunk, failure) => within(meta, () => socket.hear(chunk, failure));
  exchange.lose = () => within(meta, () => socket.destroy());
  within(meta, () => server.emit("upgrade", request, socket, node.Buffer.alloc(0)));
  return exchange.result();
}
