// What became of an invocation, in pieces of the page. Texts from functions go in as texts, never as markup.

import { pretty } from "./json.js";

const TITLES = {
  receive: "receive",
  queue: "queue",
  load: "cold start",
  handler: "handler",
  answer: "serialise",
};
const NOTES = {
  receive: "reading the request, letting it in, writing the event, reaching the thread of the function",
  queue: "waiting until the function takes one more invocation",
  load: "starting the interpreter, loading middlewares and handler",
  answer: "making JSON of the result and a response of that",
};

/** Makes an element with attributes and children; `text` is its text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (key === "text") {
      element.textContent = value;
    } else if (key.startsWith("on")) {
      element.addEventListener(key.slice(2), value);
    } else {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Returns a time span for people. */
export function duration(ms) {
  if (ms === null || ms === undefined) {
    return "–";
  }
  if (ms < 10) {
    return `${ms.toFixed(2)} ms`;
  }
  return ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Returns a size for people. */
export function size(bytes) {
  if (!bytes) {
    return "–";
  }
  const unit = bytes < 1024 * 1024 ? ["KiB", 1024] : ["MiB", 1024 * 1024];
  return `${(bytes / unit[1]).toFixed(1)} ${unit[0]}`;
}

/** Returns what an invocation came to, in few words: a text and a tone. */
export function outcome(entry) {
  if (entry.refused) {
    return ["refused", "bad"];
  }
  if (entry.ms === undefined) {
    return ["running", "runs"];
  }
  if (!entry.ok) {
    return [entry.status >= 400 ? `failed, ${entry.status}` : "failed", "bad"];
  }
  return [entry.status && !isInvoke(entry) ? String(entry.status) : "ok", "good"];
}

const isInvoke = (entry) => entry.path?.startsWith("/2015-03-31/functions/");

/** Returns the time of day at which an invocation began. */
export function clock(entry) {
  return new Date(entry.started).toLocaleTimeString([], { hour12: false });
}

/** Returns in few words what an invocation was made by. */
export function cause(entry) {
  if (isInvoke(entry)) {
    return "Invoke API";
  }
  return entry.method ? `${entry.method} ${entry.path ?? ""}` : (entry.trigger ?? "");
}

/** Shows an invocation. */
export function show(entry) {
  const [word, tone] = outcome(entry);
  const summary = make(
    "div",
    { class: "summary" },
    make("span", { class: `dot ${tone}` }),
    make("strong", { text: word }),
    entry.ms === undefined ? null : make("span", { text: duration(entry.ms) }),
    entry.cold ? make("span", { class: "chip warn", text: "cold start" }) : null,
    make("span", { class: "note", text: origin(entry) }),
    make("span", { class: "id", text: entry.id }),
  );
  const parts = [summary];
  if (entry.refused) {
    parts.push(make("div", { class: "problem" }, make("p", { class: "message", text: entry.refused })));
  }
  if (entry.problem) {
    parts.push(problem(entry.problem));
  }
  if (entry.spans?.length > 0) {
    parts.push(make("h3", { text: "Timeline" }), waterfall(entry));
  }
  if (entry.response) {
    parts.push(...response(entry.response));
  }
  if (entry.result && !entry.problem) {
    parts.push(...value(entry.response ? "The function's result" : "Result", entry.result));
  }
  if (entry.ms !== undefined) {
    parts.push(...logs(entry));
  }
  if (entry.event) {
    const [, body] = value("", entry.event);
    parts.push(make("details", {}, make("summary", { text: "Event" }), body));
  }
  return parts;
}

function origin(entry) {
  const parts = [entry.function, entry.trigger === "console" ? "from here" : cause(entry), clock(entry)];
  if (entry.generation > 0) {
    parts.push(`reload ${entry.generation}`);
  }
  return parts.filter((part) => part).join(" · ");
}

function place({ file, line, column }) {
  return [file, line, column].filter((part) => part).join(":");
}

/** Shows an error: what, where, the lines around it, what to do. */
export function problem(error) {
  const parts = [
    make("p", { class: "message", text: `${error.type}: ${error.message}` }),
    error.file ? make("p", { class: "where", text: place(error) }) : null,
    error.excerpt ? excerpt(error) : null,
    ...error.facts.map(([name, text]) => make("p", { class: "where", text: `${name}: ${text}` })),
    error.hint ? make("p", { class: "hint", text: `What to do: ${error.hint}` }) : null,
    error.cause ? make("p", { class: "where", text: `caused by ${error.cause}` }) : null,
  ];
  const stack = error.stack.length > 0
    ? error.stack.map((line) => line.trimEnd())
    : error.frames.map((frame) => `    at ${frame.function || "top level"} (${place(frame)})`);
  if (stack.length > 0) {
    parts.push(make("details", {}, make("summary", { text: "Stack" }), make("pre", { tabindex: "0", text: stack.join("\n") })));
  }
  return make("div", { class: "problem" }, ...parts);
}

function excerpt(error) {
  const lines = error.excerpt.map(({ line, text, marked }) =>
    make(
      "div",
      { class: marked ? "marked" : "", "aria-current": marked ? "true" : null },
      make("span", { class: "number", text: `${marked ? "▸ " : ""}${line}` }),
      make("span", { class: "text", text }),
    ),
  );
  const at = error.excerpt.findIndex(({ marked }) => marked);
  if (at >= 0 && error.column) {
    // Tabs stay tabs, so that the mark stands below its place.
    const ahead = error.excerpt[at].text.slice(0, error.column - 1).replace(/[^\t]/g, " ");
    lines.splice(
      at + 1,
      0,
      make("div", { "aria-hidden": "true" }, make("span", { class: "number" }), make("span", { class: "caret", text: `${ahead}^` })),
    );
  }
  return make("div", { class: "excerpt", tabindex: "0", role: "region", "aria-label": "Source" }, ...lines);
}

/** Shows the parts of an invocation over its time. */
function waterfall(entry) {
  const whole = Math.max(entry.ms, 0.001);
  const rows = entry.spans.map(({ kind, name, start, ms, error }) => {
    const bar = make("span", { class: error ? "failed" : kind });
    bar.style.left = `${Math.min((start / whole) * 100, 99.5)}%`;
    bar.style.width = `${Math.max(Math.min((ms / whole) * 100, 100 - (start / whole) * 100), 0)}%`;
    const title = [NOTES[kind], `from ${duration(start)} on, ${duration(ms)}`, error].filter((part) => part).join("; ");
    return make(
      "tr",
      { title },
      make("th", { class: "name", scope: "row", text: (TITLES[name] ?? name) + (error ? " ✕" : "") }),
      make("td", {}, make("div", { class: "track", "aria-hidden": "true" }, bar)),
      make("td", { class: "ms", text: duration(ms) }),
    );
  });
  return make(
    "table",
    { class: "waterfall" },
    make("caption", { class: "hidden", text: "Parts of the invocation and their times" }),
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        make("th", { class: "name", scope: "col", text: "part" }),
        make("th", { scope: "col", text: `0 – ${duration(entry.ms)}` }),
        make("th", { class: "ms", scope: "col", text: "time" }),
      ),
    ),
    make("tbody", {}, ...rows),
  );
}

function response({ status, headers, text }) {
  const head = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  return [
    make("h3", { text: `Response ${status}` }),
    make("pre", { tabindex: "0", text: pretty(text) || "(no body)" }),
    make("details", {}, make("summary", { text: "Response headers" }), make("pre", { tabindex: "0", text: head })),
  ];
}

function value(title, { kind, text, cut, type }) {
  const heading = make("h3", {}, title + (kind === "base64" ? `, ${type}, in base64` : type ? `, ${type}` : ""));
  if (kind === "stream") {
    return [heading, make("p", { class: "note", text: "It was streamed to the client and is not kept." })];
  }
  const shown = kind === "json" && !cut ? pretty(text) : text;
  return [heading, make("pre", { tabindex: "0", text: shown + (cut ? "\n… cut" : "") })];
}

function logs({ logs: all = [], droppedLines, problem: error, id }) {
  // The error that is shown above is in the log as well.
  const lines = all.filter(({ text }) => !(error && text.startsWith(`RequestId: ${id} function '`)));
  if (lines.length === 0) {
    return [make("h3", { text: "Logs" }), make("p", { class: "note", text: "Nothing was logged." })];
  }
  const items = lines.map(({ level, stream, text }) =>
    make(
      "li",
      { class: level ?? "" },
      make("span", { class: "level", text: level ?? stream ?? "" }),
      make("span", { class: "text", text }),
    ),
  );
  if (droppedLines > 0) {
    items.push(make("li", {}, make("span"), make("span", { class: "text note", text: `… ${droppedLines} more lines` })));
  }
  return [make("h3", { text: "Logs" }), make("ul", { class: "logs", tabindex: "0", "aria-label": "Logs" }, ...items)];
}
