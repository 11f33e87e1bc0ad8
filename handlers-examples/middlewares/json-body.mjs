// Parses the body of an HTTP event whose content type is JSON, base64 or not, into `event.body`; answers 400 by itself,
// with the place of the error. Stands outside of whatever reads `event.body`. Nothing to configure.

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

export function before(event, context) {
  const type = Object.entries(event?.headers ?? {}).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  if (typeof event?.body !== "string" || !JSON_TYPE.test(type ?? "")) {
    return;
  }
  let text;
  try {
    text = event.isBase64Encoded ? decoded(event.body) : event.body;
  } catch {
    return context.reply(badRequest("The body is not UTF-8."));
  }
  try {
    return { ...event, body: JSON.parse(text), isBase64Encoded: false };
  } catch (error) {
    const position = Number(/at position (\d+)/.exec(error.message)?.[1] ?? positionOf(text));
    const lines = text.slice(0, position).split("\n");
    const place = { position, line: lines.length, column: lines.at(-1).length + 1 };
    context.reply(badRequest("The body is no JSON.", place));
  }
}

/** Where the unexpected token stands: V8 does not always say, but all that ends before it is merely unfinished. */
function positionOf(text) {
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    [good, bad] = hasUnexpected(text.slice(0, middle)) ? [good, middle] : [middle, bad];
  }
  return good;
}

function hasUnexpected(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    return error.message.startsWith("Unexpected token");
  }
}

function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function badRequest(detail, place) {
  return {
    statusCode: 400,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify({ title: "Bad Request", status: 400, detail, ...place }),
  };
}
