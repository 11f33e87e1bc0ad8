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

const Plain = globalThis.URL;

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
