// Values as JSON text and back, and the errors of what has none.
import { isOlder, isPermissive } from "ext:trine_prelude/rules.js";

const parse = JSON.parse;
const toJson = JSON.stringify;

/** An error that Rust sees as one of this kind. */
export function fault(kind, name, message, cause) {
  const error = new Error(message);
  error.name = name;
  error.trineKind = kind;
  error.trineCause = cause;
  return error;
}

function noText(reason) {
  const name = isOlder ? "Error" : "Runtime.JSONStringifyError";
  const message = "Unable to stringify response body";
  return fault("Marshal", name, isPermissive ? `${message}: ${reason}` : message);
}

/** The JSON text of a value that has one; of undefined it is `null`. */
export function toText(value) {
  if (value === undefined) {
    return "null";
  }
  let text;
  try {
    text = toJson(value);
  } catch (error) {
    throw noText(error.message);
  }
  if (text === undefined) {
    throw noText(`a ${typeof value} has no JSON form`);
  }
  return text;
}

const { getPrototypeOf, prototype: objectPrototype } = Object;

/** Whether a value is an object without a class, as literals and `JSON.parse` make them. */
function isPlain(value) {
  return typeof value === "object" && value !== null && getPrototypeOf(value) === objectPrototype;
}

/** The names and values of headers by turns, each with a line break after it; undefined where they are not plainly texts. */
function fieldsOf(headers) {
  if (headers === undefined || headers === null) {
    return "";
  }
  if (!isPlain(headers)) {
    return undefined;
  }
  let fields = "";
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== "string" || value.includes("\n") || name.includes("\n")) {
      return undefined;
    }
    fields += `${name}\n${value}\n`;
  }
  return fields;
}

/** What `HttpResult` in Rust is made of; undefined where a result is not plainly a response. */
function responseOf(value) {
  if (!isPlain(value)) {
    return undefined;
  }
  let status, headers, body, isBase64;
  for (const name in value) {
    switch (name) {
      case "statusCode":
        status = value.statusCode;
        break;
      case "headers":
        headers = value.headers;
        break;
      case "body":
        body = value.body;
        break;
      case "isBase64Encoded":
        isBase64 = value.isBase64Encoded;
        break;
      default:
        return undefined;
    }
  }
  const isStatus = typeof status === "number" && (status | 0) === status && status >= 200 &&
    status <= 999;
  body ??= "";
  isBase64 ??= false;
  if (!isStatus || typeof body !== "string" || typeof isBase64 !== "boolean" ||
    value.toJSON !== undefined || headers?.toJSON !== undefined) {
    return undefined;
  }
  const fields = fieldsOf(headers);
  return fields === undefined ? undefined : [status, fields, body, isBase64];
}

/** A result for an HTTP server: what a response is made of, a text in an array of one, or JSON text. */
export function toResponse(value) {
  if (typeof value === "string") {
    return [value];
  }
  let response;
  try {
    response = responseOf(value);
  } catch {
    // What throws when it is read is told by whoever writes it.
  }
  return response ?? toText(value);
}

/** The line of JSON that a value is in a stream of such lines. */
export function toLine(value) {
  if (value === undefined) {
    throw noText("a chunk is undefined");
  }
  return `${toText(value)}\n`;
}

export function parseEvent(text) {
  try {
    return parse(text);
  } catch (error) {
    throw fault("Unmarshal", error.name, error.message);
  }
}

export function isThenable(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") &&
    typeof value.then === "function";
}
