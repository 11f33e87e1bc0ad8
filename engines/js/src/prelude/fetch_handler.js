// Handlers that take a `Request` and return a `Response`: what they get, and the way of what they return.
import { core } from "ext:core/mod.js";
import { host, within } from "ext:trine_prelude/context.js";
import { isThenable } from "ext:trine_prelude/marshal.js";
import { Exchange } from "ext:trine_prelude/web_exchange.js";

const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
const { fromInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
const {
  dropServeNativeResponse,
  getInnerResponse,
  responseBodyUsed,
  ResponsePrototype,
  serveFastBodyKey,
  serveFastConsumedKey,
  serveFastContentTypeKey,
  serveFastHeaderKindKey,
  serveFastStatusKey,
  SERVE_FAST_HEADER_CONTENT_TYPE,
  SERVE_FAST_HEADER_DEFAULT_TEXT,
  toInnerResponse,
  wireHeaderList,
} = core.loadExtScript("ext:deno_fetch/23_response.js");
const os = core.loadExtScript("ext:deno_os/30_os.js");

const isOwnResponse = Object.prototype.isPrototypeOf.bind(ResponsePrototype);
const classOf = (value) => Reflect.apply(Object.prototype.toString, value, []);

/** What the application gets as its second argument: the environment's variables. */
let environment;

function environmentOf(exchange) {
  environment ??= os.env.toObject();
  if (!exchange.hasEvent) {
    return environment;
  }
  return { ...environment, event: exchange.event, lambdaContext: exchange.context };
}

/** What the application gets as its third argument. */
class ExecutionContext {
  #exchange;
  #props;

  constructor(exchange) {
    this.#exchange = exchange;
  }

  /** Has the call go on until a promise is settled, though the response is on its way. */
  waitUntil(promise) {
    if (this.#exchange.over) {
      throw new TypeError("the request has ended: nothing waits for it any more");
    }
    this.#exchange.waitFor(Promise.resolve(promise));
  }

  /** There is nothing that requests could be passed through to. */
  passThroughOnException() {}

  get props() {
    return this.#props ??= {};
  }

  /** As handlers of `Deno.serve` get it. */
  get info() {
    const exchange = this.#exchange;
    const [, hostname = "", port] = host.webPeers(exchange.slot);
    return { remoteAddr: { transport: "tcp", hostname, port }, completed: exchange.completion() };
  }
}

/** A request as Deno's class of that name has it inside, and its response. */
class FetchExchange extends Exchange {
  method;
  redirectMode = "follow";
  redirectCount = 0;
  clientRid = null;
  blobUrlEntry = null;
  request;
  #target;
  #body;
  #controller;
  #pulled;
  #cancel;
  #stop;
  #completion;

  constructor(meta, hasEvent, method, target) {
    super(meta, hasEvent);
    this.method = method;
    this.#target = target;
  }

  url() {
    return this.#target;
  }

  currentUrl() {
    return this.#target;
  }

  get urlList() {
    return [() => this.#target];
  }

  get urlListProcessed() {
    return [this.#target];
  }

  get headerList() {
    const flat = host.webHeaders(this.slot);
    if (flat === undefined) {
      throw new TypeError("the request has ended");
    }
    const list = [];
    let cookies;
    for (let at = 0; at < flat.length; at += 2) {
      const [name, value] = [flat[at], flat[at + 1]];
      if (name === "cookie" && cookies !== undefined) {
        cookies[1] += `; ${value}`;
        continue;
      }
      const field = [name, value];
      if (name === "cookie") {
        cookies = field;
      }
      list.push(field);
    }
    return list;
  }

  header(name) {
    return host.webHeader(this.slot, name);
  }

  get body() {
    if (this.#body === undefined) {
      this.#body = this.method === "GET" || this.method === "HEAD" ? null : this.#takeBody();
    }
    return this.#body;
  }

  #takeBody() {
    const taken = host.webBody(this.slot);
    if (taken !== true) {
      return new InnerBody({ body: taken ?? new Uint8Array(), consumed: false });
    }
    return new InnerBody(
      new ReadableStream({
        type: "bytes",
        pull: (controller) => this.#pull(controller),
        cancel: () => host.webDrop(this.slot),
      }),
    );
  }

  #pull(controller) {
    this.#controller = controller;
    const pulled = Promise.withResolvers();
    this.#pulled = pulled;
    if (this.over || !host.webRead(this.slot)) {
      this.hearBody(null, "the request has ended");
    }
    return pulled.promise;
  }

  /** Bytes of the body, or its end. */
  hearBody(chunk, failure) {
    const controller = this.#controller;
    const pulled = this.#pulled;
    this.#pulled = undefined;
    if (pulled === undefined) {
      return;
    }
    if (failure !== undefined) {
      const error = new TypeError(`the body of the request did not come whole: ${failure}`);
      controller.error(Object.assign(error, { code: "ECONNRESET" }));
    } else if (chunk === null) {
      controller.close();
      controller.byobRequest?.respond(0);
    } else {
      controller.enqueue(chunk);
    }
    pulled.resolve();
  }

  /** Deno's `Request` wants to know when the client goes. */
  onCancel(callback) {
    this.#cancel = callback;
    if (this.gone) {
      callback();
    }
  }

  /** A promise of the end of the response, for those who ask. */
  completion() {
    this.#completion ??= Promise.withResolvers();
    return this.#completion.promise;
  }

  lose() {
    within(this.meta, () => this.#cancel?.());
    this.#completion?.reject(new Error("the client is gone"));
    this.#completion?.promise.catch(() => {});
    this.#stop?.();
  }

  close() {
    this.#completion?.resolve();
    if (this.#pulled !== undefined) {
      this.hearBody(null, "the request has ended");
    }
    super.close();
  }

  /** Takes what the application has returned. */
  respond(value) {
    const response = isOwnResponse(value) ? value : foreign(value);
    const inner = getInnerResponse(response);
    if (inner === undefined) {
      throw new TypeError("the application returned what is no Response but only looks like one");
    }
    if (inner.type === "error") {
      throw new TypeError(
        "the application returned Response.error(), which stands for a failed request and has no status",
      );
    }
    if (responseBodyUsed(response)) {
      throw new TypeError("the application returned a Response whose body was read before");
    }
    const status = response[serveFastStatusKey];
    const body = response[serveFastBodyKey];
    if (status !== 0 && body !== null) {
      response[serveFastConsumedKey] = true;
      this.whole(status, undefined, fastFieldsOf(response), body);
      return;
    }
    dropServeNativeResponse(response);
    this.give(toInnerResponse(response));
  }

  give(inner) {
    const reason = inner.statusMessage === "" ? undefined : inner.statusMessage;
    const fields = fieldsOf(wireHeaderList(inner));
    const source = inner.body?.streamOrStatic;
    if (source === undefined || source === null) {
      this.whole(inner.status, reason, fields, undefined);
    } else if (source.body !== undefined) {
      source.consumed = true;
      this.whole(inner.status, reason, fields, source.body);
    } else if (this.method === "HEAD") {
      inner.body.cancel(new DOMException("the request is one for the head alone", "AbortError"));
      this.whole(inner.status, reason, fields, undefined);
    } else {
      this.#stream(inner.status, reason, fields, source);
    }
  }

  /** Gives the whole of the response: at once, unless the call goes on. */
  whole(status, reason, fields, body) {
    if (this.waits === 0 && this.failure === undefined) {
      host.webRespond(this.slot, status, reason, fields, body);
      this.complete = true;
      this.close();
      return;
    }
    this.begin(status, reason, fields);
    if (body !== undefined) {
      this.sink.write(body);
    }
    this.sink.end();
    this.complete = true;
    this.check();
  }

  #stream(status, reason, fields, stream) {
    this.begin(status, reason, fields);
    const { sink } = this;
    const reader = stream.getReader();
    const stopped = Promise.withResolvers();
    this.#stop = () => {
      const error = new DOMException("the client is gone", "AbortError");
      reader.cancel(error).then(stopped.resolve, stopped.reject);
    };
    const pump = async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.gone) {
          return await stopped.promise;
        }
        if (done) {
          sink.end();
          return undefined;
        }
        if (!(value instanceof Uint8Array)) {
          const error = new TypeError("a body of a Response consists of Uint8Arrays");
          reader.cancel(error).catch(() => {});
          throw error;
        }
        if (!sink.write(value)) {
          await new Promise((ready) => sink.whenReady(ready));
        }
      }
    };
    const finished = () => {
      this.complete = true;
      this.check();
    };
    if (this.gone) {
      this.#stop();
    }
    pump().then(finished, (error) => this.gone ? finished() : this.fail(error));
  }
}

/** The header fields of a response that is kept in Deno's shortest form. */
function fastFieldsOf(response) {
  switch (response[serveFastHeaderKindKey]) {
    case SERVE_FAST_HEADER_DEFAULT_TEXT:
      return "content-type\ntext/plain;charset=UTF-8\n";
    case SERVE_FAST_HEADER_CONTENT_TYPE:
      return `content-type\n${response[serveFastContentTypeKey]}\n`;
    default:
      return "";
  }
}

/** Names and values by turns, each with a line break after it. */
function fieldsOf(list) {
  let fields = "";
  for (let at = 0; at < list.length; at += 1) {
    const [name, value] = list[at];
    fields += `${name}\n${value}\n`;
  }
  return fields;
}

/** A response of another package's class as one of ours. */
function foreign(value) {
  const isResponse = typeof value === "object" && value !== null &&
    classOf(value) === "[object Response]" && typeof value.status === "number" &&
    typeof value.headers?.forEach === "function";
  if (!isResponse) {
    throw new TypeError(`the application returned ${whatItIs(value)}, not a Response`);
  }
  const headers = new Headers();
  value.headers.forEach((text, name) => headers.append(name, text));
  const { status, statusText } = value;
  return new Response(value.body ?? null, { status, statusText, headers });
}

function whatItIs(value) {
  if (value === undefined || value === null) {
    return String(value);
  }
  const name = typeof value === "object" ? value.constructor?.name ?? "object" : typeof value;
  return Array.isArray(value) ? "an array" : `a value of type ${name}`;
}

/** Calls an application with a request. */
export function serveFetch(callee, method, target, hasEvent, meta) {
  const exchange = new FetchExchange(meta, hasEvent, method, target);
  const request = fromInnerRequest(exchange, "immutable");
  const context = new ExecutionContext(exchange);
  const result = within(meta, callee, request, environmentOf(exchange), context);
  if (isThenable(result)) {
    answer(exchange, result);
  } else {
    exchange.respond(result);
  }
  return exchange.result();
}

/** Waits for the response of an application. */
function answer(exchange, result) {
  const respond = (value) => {
    try {
      exchange.respond(value);
    } catch (error) {
      exchange.fail(error);
    }
  };
  Promise.resolve(result).then(respond, (error) => exchange.fail(error));
}
