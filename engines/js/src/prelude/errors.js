// What a handler threw, as plain data for Rust.
import { core } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { documentOf } from "ext:trine_prelude/records.js";
import { isNewer, isOlder } from "ext:trine_prelude/rules.js";

// What a function may not do has the code that it has in Node.
Object.defineProperty(core.NotCapablePrototype, "code", {
  value: "ERR_ACCESS_DENIED",
  writable: true,
  configurable: true,
});

function text(read, otherwise) {
  try {
    const value = read();
    return typeof value === "string" ? value : String(value);
  } catch {
    return otherwise;
  }
}

/** Whether a value is an error to callers: an `Error`, also one of another realm, or what looks like one. */
function isErrorLike(value) {
  if (value instanceof Error) {
    return true;
  }
  const looksLikeOne = value !== null && typeof value === "object" &&
    typeof value.name === "string" && typeof value.message === "string" &&
    typeof value.stack === "string";
  if (isOlder) {
    return looksLikeOne && value.name !== "" && value.message !== "" && value.stack !== "";
  }
  return looksLikeOne && !isNewer;
}

/** By either generation's rules, an error of which a member is no text, or cannot be read, has no document of its own. */
function isUntellable(error) {
  if (!isOlder && !isNewer) {
    return false;
  }
  try {
    return [error.name, error.message, error.stack].some((value) =>
      value !== undefined && value !== null && typeof value !== "string"
    );
  } catch {
    return true;
  }
}

/** What cannot stand in a header as it is. */
const escaped = (text) => text.replaceAll("\x7F", "%7F");

const UNTELLABLE = {
  name: "handled",
  message: "callback called with Error argument, but there was a problem while retrieving one or more of its message, " +
    "name, and stack",
  stack: "",
};

function describeOne(thrown, depth) {
  if (!isErrorLike(thrown)) {
    return {
      name: typeof thrown,
      message: text(() => String(thrown), `an ${typeof thrown} that has no text`),
      stack: "",
    };
  }
  if (isUntellable(thrown)) {
    return { ...UNTELLABLE };
  }
  const described = {
    kind: text(() => thrown.trineKind ?? "", ""),
    code: text(() => thrown.code ?? "", ""),
    name: escaped(text(() => thrown.name, "Error")),
    message: escaped(text(() => thrown.message, "")),
    stack: escaped(text(() => thrown.stack ?? "", "")),
    syntax: thrown instanceof SyntaxError,
    names: thrown.trineNames,
    wanted: thrown.trineWanted,
  };
  let cause;
  try {
    cause = thrown.cause;
  } catch {
    // A getter that throws has no cause to tell.
  }
  if (cause !== undefined && cause !== null && depth < 8) {
    described.cause = describeOne(cause, depth + 1);
  }
  return described;
}

/**
 * Stands for a thrown value where Rust expects a result. `warning` is the reason of the deadline's warning where that is
 * why it was thrown; `returned` says that an `error` hook has returned it.
 */
export class Failure {
  constructor(thrown, warning, returned) {
    this.thrown = thrown;
    this.description = describe(warning ?? thrown, warning !== undefined, returned);
  }
}

/** The error that a document of another language describes; any other value as it is. */
export function asError(document) {
  if (document === null || typeof document !== "object" || !("errorMessage" in document)) {
    return document;
  }
  const { errorType = "Error", errorMessage, trace, stackTrace, cause } = document;
  const error = new Error(String(errorMessage));
  if (cause !== undefined) {
    error.cause = asError(cause);
  }
  // Own members that are not enumerable, as those of errors are.
  const set = (key, value) =>
    Object.defineProperty(error, key, { value, writable: true, configurable: true });
  set("name", String(errorType));
  const given = trace ?? stackTrace ?? [];
  const lines = (Array.isArray(given) ? given : [given]).map((line) => String(line).trimEnd());
  const header = `${errorType}: ${errorMessage}`;
  set("stack", (lines[0]?.startsWith(String(errorType)) ? lines : [header, ...lines]).join("\n"));
  return error;
}

/** JSON of `{kind, code, name, message, stack, syntax, names, wanted, warned, returned, cause, record}`. */
function describe(thrown, warned, returned) {
  try {
    // Half of a surrogate pair, as a message may quote it, has no form in UTF-8.
    const record = warned ? undefined : documentOf(thrown, host.logJson);
    return JSON.stringify(
      { ...describeOne(thrown, 0), warned, returned, record },
      (_key, value) => typeof value === "string" ? value.toWellFormed() : value,
    );
  } catch {
    return '{"name":"handled","message":"there was a problem while retrieving one or more of the error\'s message, name, and stack","stack":""}';
  }
}
