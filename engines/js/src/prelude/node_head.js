// The head of a response of Node's: its header fields as they were set or passed, and what they say of its body.
import { core } from "ext:core/mod.js";

let ERR_HTTP_TRAILER_INVALID, kOutHeaders, validateHeaderName, validateHeaderValue;

/** Loads what comes with `node:http`. */
export function prepareHeads() {
  ({ validateHeaderName, validateHeaderValue } = core.createLazyLoader("node:_http_outgoing")());
  ({ kOutHeaders } = core.loadExtScript("ext:deno_node/internal/http.ts"));
  ({ ERR_HTTP_TRAILER_INVALID } = core.loadExtScript("ext:deno_node/internal/errors.ts"));
}

/** Reads the header fields that go out, and whether others may follow the body. */
export function readHead(response, headers) {
  const state = { fields: "", hasLength: false, hasEncoding: false, hasTrailer: false };
  if (headers !== undefined && headers !== null) {
    addAll(response, state, headers);
  }
  const { hasLength, hasEncoding, hasTrailer } = state;
  if (hasTrailer && hasLength) {
    throw new ERR_HTTP_TRAILER_INVALID();
  }
  const isWhole = typeof response._contentLength === "number" && response._hasBody &&
    !response._removedContLen;
  if (!hasLength && !hasEncoding && !hasTrailer && isWhole) {
    const fields = `${state.fields}Content-Length\n${response._contentLength}\n`;
    return { fields, allowsTrailers: false };
  }
  return { fields: state.fields, allowsTrailers: !hasLength };
}

function addAll(response, state, headers) {
  if (headers === response[kOutHeaders]) {
    for (const key in headers) {
      const [name, value] = headers[key];
      add(response, state, name, value, false);
    }
  } else if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) {
      add(response, state, name, headers[name], true);
    }
  } else if (Array.isArray(headers[0])) {
    for (const [name, value] of headers) {
      add(response, state, name, value, true);
    }
  } else {
    for (let at = 0; at < headers.length; at += 2) {
      add(response, state, headers[at], headers[at + 1], true);
    }
  }
}

/** Fields of the connection, of ten letters. */
const OF_THE_CONNECTION = new Set(["connection", "keep-alive"]);

/** Adds a header field. Those of the connection are not the application's affair. */
function add(response, state, name, value, validates) {
  if (validates) {
    validateHeaderName(name);
  }
  switch (name.length) {
    case 7:
      state.hasTrailer ||= name.toLowerCase() === "trailer";
      break;
    case 10:
      if (OF_THE_CONNECTION.has(name.toLowerCase())) {
        return;
      }
      break;
    case 14:
      if (name.toLowerCase() === "content-length") {
        state.hasLength = true;
        response._contentLength = Number(value);
        response._removedContLen = false;
      }
      break;
    case 17:
      if (name.toLowerCase() === "transfer-encoding") {
        state.hasEncoding = true;
        return;
      }
      break;
  }
  if (!Array.isArray(value)) {
    addOne(state, name, value, validates);
  } else if (name.toLowerCase() === "cookie") {
    addOne(state, name, value.join("; "), validates);
  } else {
    for (const one of value) {
      addOne(state, name, one, validates);
    }
  }
}

function addOne(state, name, value, validates) {
  if (validates) {
    validateHeaderValue(name, value);
  }
  state.fields += `${name}\n${value}\n`;
}
