// Whether a handler answers through a callback, as far as its parameters show. A function's `length` counts those before the
// first one with a default value only, and no rest parameter, so that its text has to be read, once.

const textOf = Function.prototype.call.bind(Function.prototype.toString);

const NO_CALLBACK = 0;
const MAY_TAKE_CALLBACK = 1;
const DECLARES_CALLBACK = 2;

/** What was found out last: a process mostly has one handler. */
let last;
let kindOfLast = NO_CALLBACK;
const kinds = new WeakMap();

/** Whether a handler declares three parameters or more. */
export function declaresCallback(handler) {
  return handler.length >= 3 || kindOf(handler) === DECLARES_CALLBACK;
}

/** Whether a handler takes whatever it is given, or hands that on. */
export function takesCallback(handler) {
  return kindOf(handler) !== NO_CALLBACK;
}

function kindOf(handler) {
  if (handler !== last) {
    let kind = kinds.get(handler);
    if (kind === undefined) {
      kind = read(textOf(handler));
      kinds.set(handler, kind);
    }
    last = handler;
    kindOfLast = kind;
  }
  return kindOfLast;
}

function read(text) {
  const start = text.indexOf("(");
  const arrow = text.indexOf("=>");
  if (start === -1 || (arrow !== -1 && arrow < start)) {
    return NO_CALLBACK;
  }
  const { count, rest, end } = readParameters(text, start + 1);
  if (count >= 3) {
    return DECLARES_CALLBACK;
  }
  if (rest) {
    return MAY_TAKE_CALLBACK;
  }
  const isArrow = /^\s*=>/.test(text.slice(end, end + 100));
  const handsOn = /\barguments\s*\[\s*2\s*\]|,\s*arguments\s*\)|\.\.\.\s*arguments\b/;
  return !isArrow && handsOn.test(text) ? MAY_TAKE_CALLBACK : NO_CALLBACK;
}

/** How many parameters a list has that begins at `at`, whether one is a rest parameter, and where the list ends. */
function readParameters(text, at) {
  let depth = 0;
  let count = 0;
  let rest = false;
  // Whether the parameter that is read has begun: a comma may stand at the end of the list.
  let begun = false;
  // The last character that means anything: a slash after a value divides, else it begins a regular expression.
  let before = "(";
  while (at < text.length) {
    const char = text[at];
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    if (char === "/" && (text[at + 1] === "/" || text[at + 1] === "*")) {
      at = skipComment(text, at);
      continue;
    }
    if (depth === 0 && char === ")") {
      return { count: count + (begun ? 1 : 0), rest, end: at + 1 };
    }
    if (depth === 0 && char === ",") {
      count++;
      begun = false;
      before = char;
      at++;
      continue;
    }
    if (!begun) {
      begun = true;
      rest ||= text.startsWith("...", at);
    }
    if (char === '"' || char === "'") {
      at = skipTo(text, at + 1, char);
    } else if (char === "`") {
      at = skipTemplate(text, at + 1);
    } else if (char === "/" && /[(,=:[!&|?{}+\-*%~^<>;]/.test(before)) {
      at = skipPattern(text, at + 1);
    } else {
      depth += /[([{]/.test(char) ? 1 : /[)\]}]/.test(char) ? -1 : 0;
      at++;
    }
    before = char;
  }
  return { count, rest, end: at };
}

function skipComment(text, at) {
  const line = text[at + 1] === "/";
  const end = text.indexOf(line ? "\n" : "*/", at + 2);
  return end === -1 ? text.length : end + (line ? 1 : 2);
}

/** The place after the next `end` that no backslash stands before. */
function skipTo(text, at, end) {
  while (at < text.length && text[at] !== end) {
    at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
}

function skipPattern(text, at) {
  while (at < text.length && text[at] !== "/") {
    at = text[at] === "[" ? skipTo(text, at + 1, "]") : at + (text[at] === "\\" ? 2 : 1);
  }
  return at + 1;
}

function skipTemplate(text, at) {
  while (at < text.length && text[at] !== "`") {
    if (text.startsWith("${", at)) {
      at = skipHole(text, at + 2);
    } else {
      at += text[at] === "\\" ? 2 : 1;
    }
  }
  return at + 1;
}

function skipHole(text, at) {
  let depth = 0;
  while (at < text.length && !(depth === 0 && text[at] === "}")) {
    const char = text[at];
    if (char === '"' || char === "'") {
      at = skipTo(text, at + 1, char);
    } else if (char === "`") {
      at = skipTemplate(text, at + 1);
    } else {
      depth += char === "{" ? 1 : char === "}" ? -1 : 0;
      at++;
    }
  }
  return at + 1;
}
