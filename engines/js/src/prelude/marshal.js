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
