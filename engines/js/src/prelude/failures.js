// Errors of web interfaces as Node's: what programs look for in them.
import { core } from "ext:core/mod.js";

/** Made of what `fetch_failure.rs` tells. */
core.registerErrorBuilder("TrineFetchFailed", (description) => {
  const { message, name, ...members } = JSON.parse(description);
  const cause = new Error(message);
  if (name !== undefined) {
    Object.defineProperty(cause, "name", { value: name, writable: true, configurable: true });
    cause.stack = `${name}: ${message}`;
  }
  return new TypeError("fetch failed", { cause: Object.assign(cause, members) });
});

/** Signals of who gives no reason have Node's. */
function giveReasons(owner, name) {
  const own = owner[name];
  Object.defineProperty(owner, name, {
    writable: true,
    enumerable: true,
    configurable: true,
    value: {
      [name](reason = new DOMException("This operation was aborted", "AbortError")) {
        return Reflect.apply(own, this, [reason]);
      },
    }[name],
  });
}

const { AbortController, AbortSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
giveReasons(AbortController.prototype, "abort");
giveReasons(AbortSignal, "abort");

const Plain = globalThis.URL;

const OF_URLS = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "searchParams",
  "hash",
];

/** The class with a constructor whose errors say what was no URL. */
function URL(url, base = undefined) {
  if (new.target === undefined) {
    throw new TypeError("Class constructor URL cannot be invoked without 'new'");
  }
  try {
    const given = arguments.length === 0 ? [] : [url, base];
    return Reflect.construct(Plain, given, new.target);
  } catch (error) {
    if (!(error instanceof TypeError && error.message.startsWith("Invalid URL: "))) {
      throw error;
    }
    const invalid = Object.assign(new TypeError("Invalid URL"), {
      code: "ERR_INVALID_URL",
      input: String(url),
      ...(base === undefined ? undefined : { base: String(base) }),
    });
    Error.captureStackTrace(invalid, URL);
    throw invalid;
  }
}

for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(Plain))) {
  Object.defineProperty(URL, name, descriptor);
}
Object.defineProperty(Plain.prototype, "constructor", {
  value: URL,
  writable: true,
  configurable: true,
});
Object.defineProperty(globalThis, "URL", {
  ...Object.getOwnPropertyDescriptor(globalThis, "URL"),
  value: URL,
});
// What Node's modules are loaded with, and the one that is there already.
core.loadExtScript("ext:deno_web/00_url.js").URL = URL;
core.loadExtScript("ext:deno_node/url.ts").URL = URL;

/** What is printed of an address, as Node has it. */
Object.defineProperty(Plain.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  writable: true,
  configurable: true,
  value(depth, options, inspect) {
    if (typeof depth === "number" && depth < 0) {
      return this;
    }
    const shown = Object.create({ constructor: URL });
    for (const name of OF_URLS) {
      shown[name] = this[name];
    }
    return `URL ${inspect(shown, options)}`;
  },
});
