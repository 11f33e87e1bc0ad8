// JSON as text: checked with the place of what is wrong, and laid out anew without a look at its numbers, which may have
// more digits than JavaScript keeps.

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const INDENT = "  ";
const DEEPEST = 500;

class Fault extends Error {
  constructor(at, message) {
    super(message);
    this.at = at;
  }
}

function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Walks a text and returns it laid out; `onString` may replace the strings that are values. */
function walk(text, onString = (token) => token) {
  let at = 0;
  let out = "";
  const blank = () => {
    at += match(BLANK, text, at).length;
  };
  const wanted = (what) => {
    const found = at < text.length ? `“${[...text.slice(at, at + 4)][0]}”` : "the end";
    throw new Fault(at, `expected ${what}, found ${found}`);
  };
  const string = () => {
    const token = match(STRING, text, at);
    if (token === undefined) {
      const end = text.slice(at + 1).search(/["\n]/);
      const why = end < 0 || text[at + 1 + end] === "\n" ? "this string has no end" : "this string has an invalid character or escape";
      throw new Fault(at, why);
    }
    at += token.length;
    return token;
  };
  const members = (open, close, indent, member) => {
    at += 1;
    blank();
    if (text[at] === close) {
      at += 1;
      out += open + close;
      return;
    }
    out += open;
    for (let first = true; ; first = false) {
      if (!first) {
        at += 1;
        out += ",";
        blank();
      }
      out += `\n${indent}${INDENT}`;
      member();
      blank();
      if (text[at] === close) {
        at += 1;
        out += `\n${indent}${close}`;
        return;
      }
      if (text[at] !== ",") {
        wanted(`a comma or “${close}”`);
      }
    }
  };
  const value = (indent) => {
    if (indent.length > DEEPEST * INDENT.length) {
      throw new Fault(at, "this is nested too deeply");
    }
    const letter = text[at];
    if (letter === "{") {
      members("{", "}", indent, () => {
        if (text[at] !== '"') {
          wanted("a name in double quotes");
        }
        out += string();
        blank();
        if (text[at] !== ":") {
          wanted("a colon");
        }
        at += 1;
        out += ": ";
        blank();
        value(indent + INDENT);
      });
    } else if (letter === "[") {
      members("[", "]", indent, () => value(indent + INDENT));
    } else if (letter === '"') {
      out += onString(string());
    } else {
      const token = match(NUMBER, text, at) ?? match(WORD, text, at);
      if (token === undefined) {
        wanted("a value");
      }
      at += token.length;
      out += token;
    }
  };
  blank();
  value("");
  blank();
  if (at < text.length) {
    wanted("nothing more");
  }
  return out;
}

/** Returns what is wrong with a text that should be JSON, with line and column; null where nothing is. */
export function check(text) {
  if (text.trim() === "") {
    return { message: "write an event, such as {}", line: 1, column: 1, at: 0 };
  }
  try {
    walk(text);
    return null;
  } catch (fault) {
    const lines = text.slice(0, fault.at).split("\n");
    const column = [...lines.at(-1)].length + 1;
    return { message: fault.message, line: lines.length, column, at: fault.at };
  }
}

/** Returns JSON laid out in lines; a text that is none as it is. */
export function pretty(text) {
  try {
    return walk(text);
  } catch {
    return text;
  }
}

/** Returns JSON as `trine test` expects it: a string that begins with a dollar sign means itself. */
export function asExpected(text) {
  try {
    return walk(text, (token) => (token.startsWith('"$') ? `"$${token.slice(1)}` : token));
  } catch {
    return text;
  }
}
