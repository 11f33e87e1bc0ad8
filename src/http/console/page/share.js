// What can be taken along: commands for curl, and files for `trine test`.

import { asExpected, pretty } from "./json.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Returns a command that invokes a function with an event, as AWS's SDKs do. */
export function curlOfEvent(name, event) {
  const url = `${location.origin}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
  return `curl ${quoted(url)} \\\n  --data-raw ${quoted(event)}`;
}

/** Returns a command that sends a request. */
export function curlOfRequest({ method, path, headers, body }) {
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} ${quoted(location.origin + path)}`];
  for (const [name, value] of headers) {
    lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body) {
    lines.push(`--data-raw ${quoted(body)}`);
  }
  return lines.join(" \\\n  ");
}

/** Returns the request that an event was, if it was one; its body may be in base64. */
export function requestOf(entry) {
  if (!entry.method || entry.event?.kind !== "json" || entry.event.cut) {
    return null;
  }
  let event;
  try {
    event = JSON.parse(entry.event.text);
  } catch {
    return null;
  }
  const skipped = ["host", "content-length", "connection", "user-agent", "accept-encoding", "x-request-id"];
  const of = Object.entries(event?.headers ?? {});
  const headers = of.filter(([name, value]) => {
    const lower = name.toLowerCase();
    const isBrowsers = lower.startsWith("sec-") || lower.startsWith("x-forwarded-") || lower.startsWith("x-amzn-");
    return typeof value === "string" && !skipped.includes(lower) && !isBrowsers;
  });
  const query = event?.rawQueryString ? `?${event.rawQueryString}` : "";
  let body = typeof event?.body === "string" ? event.body : "";
  if (body && event.isBase64Encoded) {
    try {
      body = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0)));
    } catch {
      return null;
    }
  }
  return { method: entry.method, path: entry.path + query, headers, body };
}

/** Returns the files of a test of an invocation: names and texts; the second is null where nothing can be expected. */
export function testOf(entry, name) {
  const event = { name: `events/${name}.json`, text: `${pretty(entry.event.text)}\n` };
  if (entry.problem) {
    const members = JSON.stringify({ errorType: entry.problem.type, errorMessage: entry.problem.message });
    return { event, expected: { name: `events/${name}.expected-error.json`, text: `${asExpected(members)}\n` } };
  }
  const { kind, text, cut } = entry.result ?? {};
  if (cut || (kind !== "json" && kind !== "text")) {
    return { event, expected: null };
  }
  const isJson = kind === "json";
  return {
    event,
    expected: {
      name: `events/${name}.expected.${isJson ? "json" : "txt"}`,
      text: isJson ? `${asExpected(text)}\n` : text,
    },
  };
}

/** Copies a text; true where the browser let us. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Saves a text as a file. */
export function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.split("/").at(-1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
