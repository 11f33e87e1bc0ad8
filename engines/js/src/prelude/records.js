// Errors in the log: as members of what `console` is given, and as the records of failed invocations. Members and their order
// are those of Lambda's Node runtime; what led to an error comes last.
import { core } from "ext:core/mod.js";

/** The longest chain of causes that is told. */
const MOST_CAUSES = 8;

function lines(stack) {
  return typeof stack === "string" ? stack.split("\n") : undefined;
}

/** The three members that tell of an error beside a text. */
export function factsInJson(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: lines(error.stack) ?? [],
  };
}

/** What led to an error, by the names under which errors have it, as far as that is not among their own members anyway. */
function origins(error, convert, depth) {
  const origins = {};
  if (depth < MOST_CAUSES) {
    for (const name of ["cause", "errors"]) {
      const property = Object.getOwnPropertyDescriptor(error, name);
      if (property === undefined || property.enumerable || property.value === undefined) {
        continue;
      }
      const { value } = property;
      origins[name] = value instanceof Error
        ? convert(value, depth + 1)
        : Array.isArray(value)
        ? value.map((item) => item instanceof Error ? convert(item, depth + 1) : item)
        : value;
    }
  }
  return origins;
}

function errorInJson(error, depth = 0) {
  const { stack } = error;
  return Object.assign(
    {
      errorType: error.constructor?.name ?? "UnknownError",
      errorMessage: error.message,
      stackTrace: lines(stack) ?? stack,
    },
    error,
    origins(error, errorInJson, depth),
  );
}

function errorInText(error, depth = 0) {
  const { name, message, code } = error;
  const members = Object.assign({ errorType: name, errorMessage: message, code }, error);
  const stack = lines(error.stack);
  if (stack !== undefined) {
    members.stack = stack;
  }
  return Object.assign(members, origins(error, errorInText, depth));
}

/** For `JSON.stringify`: errors in the log's JSON form, wherever they stand. */
export function withErrorsInJson(_key, value) {
  return value instanceof Error ? errorInJson(value) : value;
}

function withErrorsInText(_key, value) {
  return value instanceof Error ? errorInText(value) : value;
}

/** Whether a value is none of this realm's errors but has what errors have, which says more than its text. */
function looksLikeError(thrown) {
  return !(thrown instanceof Error) && typeof thrown?.message === "string" &&
    typeof thrown.stack === "string";
}

/** The JSON object as which the record of a failed invocation tells of what was thrown; undefined where it has no form. */
export function documentOf(thrown, inJson) {
  try {
    if (looksLikeError(thrown)) {
      return undefined;
    }
    const error = thrown instanceof Error ? thrown : wrapped(thrown);
    try {
      return JSON.stringify(error, inJson ? withErrorsInJson : withErrorsInText);
    } catch {
      // A circle, or a member without a JSON form.
      return inJson
        ? JSON.stringify(core.loadExtScript("ext:deno_node/internal/util/inspect.mjs").format(error))
        : JSON.stringify({
          errorType: error.name,
          errorMessage: error.message,
          trace: lines(error.stack),
        });
    }
  } catch {
    return undefined;
  }
}

/** An error that stands for a value that is none. It was not made where it was thrown. */
function wrapped(thrown) {
  const error = new Error(String(thrown));
  error.stack = String(error);
  return error;
}
