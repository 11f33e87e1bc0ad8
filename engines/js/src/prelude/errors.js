// What a handler threw, as plain data for Rust.

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
  return value instanceof Error ||
    (value !== null && typeof value === "object" && typeof value.name === "string" &&
      typeof value.message === "string" && typeof value.stack === "string");
}

function describeOne(thrown, depth) {
  if (!isErrorLike(thrown)) {
    return {
      name: typeof thrown,
      message: text(() => String(thrown), `an ${typeof thrown} that has no text`),
      stack: "",
    };
  }
  const described = {
    kind: text(() => thrown.trineKind ?? "", ""),
    code: text(() => thrown.code ?? "", ""),
    name: text(() => thrown.name, "Error"),
    message: text(() => thrown.message, ""),
    stack: text(() => thrown.stack ?? "", ""),
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

/** Stands for a thrown value where Rust expects a result. */
export class Failure {
  constructor(thrown) {
    this.description = describe(thrown);
  }
}

/** JSON of `{kind, code, name, message, stack, syntax, names, wanted, cause}`. */
function describe(thrown) {
  try {
    return JSON.stringify(describeOne(thrown, 0));
  } catch {
    return '{"name":"handled","message":"there was a problem while retrieving one or more of the error\'s message, name, and stack","stack":""}';
  }
}
