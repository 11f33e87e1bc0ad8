// A module with `fetch` that answers as badly and as well as applications do, and tells what it saw: see asgi.py.
import { gate, note, noteFailure, notes, shown } from "./telling.mjs";

const PLAIN = { "content-type": "text/plain" };
const PIECE = new Uint8Array(65536).fill(120);
const encoder = new TextEncoder();

const plain = () => new Response("plain", { headers: PLAIN });

/** A response whose body is what an asynchronous generator yields. */
function streamed(generator, headers = PLAIN) {
  return new Response(ReadableStream.from(generator), { headers });
}

async function* encoded(generator) {
  for await (const piece of generator) yield encoder.encode(piece);
}

function answerJson(value) {
  return Response.json(value);
}

function told(request) {
  return {
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    hasBody: request.body !== null,
    redirect: request.redirect,
    aborted: request.signal.aborted,
  };
}

const answers = {
  async echo(request) {
    const saw = told(request);
    const body = shown(new Uint8Array(await request.arrayBuffer()));
    return answerJson({ ...saw, body, bodyUsed: request.bodyUsed });
  },
  async form(request) {
    const form = await request.formData();
    const shownOf = async (value) =>
      typeof value === "string" ? value : { name: value.name, type: value.type, text: await value.text() };
    return answerJson(await Promise.all([...form].map(async ([name, value]) => [name, await shownOf(value)])));
  },
  async json(request) { return answerJson({ read: await request.json() }); },
  async clone(request) {
    const copy = request.clone();
    return answerJson({ first: await request.text(), second: await copy.text() });
  },
  plain,
  early: plain,
  "no-type": () => new Response(encoder.encode("no type")),
  "no-body": () => new Response(null, { headers: { "x-no": "body" } }),
  "empty-text": () => new Response(""),
  pieces: () => streamed(encoded(["one,", "two,", "three"])),
  stream: (request, [name]) => streamed(encoded((async function* () {
    yield "first,";
    await gate(name).opened;
    yield "second,";
    yield "last";
  })())),
  go(request, [name]) { gate(name).open(); return plain(); },
  seen: (request, [name]) => answerJson(notes(name)),
  status: (request, [code]) => new Response(null, { status: Number(code) }),
  "status-with-body": (request, [code]) => new Response("a body", { status: Number(code), headers: PLAIN }),
  reason: () => new Response("ok", { statusText: "Fine By Me", headers: PLAIN }),
  cookies() {
    const headers = new Headers();
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("x-twice", "1");
    headers.append("set-cookie", "b=2; HttpOnly");
    headers.append("x-twice", "2");
    return new Response(null, { headers });
  },
  capitals: () => new Response("ok", { headers: { "Content-Type": "text/plain", "X-mixed-CASE": "Yes" } }),
  latin: () => new Response(null, { headers: { "x-latin": "caf\xe9", "x-utf8": "caf\xc3\xa9" } }),
  "empty-header": () => new Response(null, { headers: { "x-empty": "", "x-spaces": "  a  b  " } }),
  "own-server": () => new Response(null, { headers: { server: "own", date: "Thu, 01 Jan 1970 00:00:00 GMT" } }),
  close: () => new Response("end", { headers: { ...PLAIN, connection: "close" } }),
  redirect: () => Response.redirect("http://example.test/plain", 303),
  large: (request, [count]) => new Response(new Uint8Array(Number(count)).fill(120), { headers: PLAIN }),
  "large-pieces": (request, [count]) => streamed((async function* () {
    for (let n = 0; n < Number(count); n++) yield PIECE;
  })()),
  short: () => streamed(encoded(["short"]), { ...PLAIN, "content-length": "10" }),
  long: () => streamed(encoded(["much longer"]), { ...PLAIN, "content-length": "5" }),
  "own-length": () => streamed(encoded(["fi", "ve!"]), { ...PLAIN, "content-length": "5" }),
  blob: () => new Response(new Blob(["a blob"], { type: "text/x-blob" })),
  "form-answer": () => new Response(new URLSearchParams({ a: "1 2", b: "ä" })),
  raises() { throw new Error("before the answer"); },
  async rejects() { throw new Error("before the answer"); },
  "raises-late": () => streamed(encoded((async function* () {
    yield "begun";
    throw new Error("in the answer");
  })())),
  "error-response": () => Response.error(),
  nothing() {},
  "returns-text": () => "text",
  "returns-object": () => ({ status: 200 }),
  "returns-null": () => null,
  "used-body": async () => {
    const response = new Response("used", { headers: PLAIN });
    await response.text();
    return response;
  },
  wrong(request, [kind, name]) {
    const attempts = {
      "body-stream-of-text": () => streamed(["text"]),
      "status-small": () => new Response("x", { status: 99 }),
      "status-large": () => new Response("x", { status: 1000 }),
      "status-101": () => new Response(null, { status: 101 }),
      "header-newline": () => new Response("x", { headers: { "x-split": "a\r\nx-smuggled: yes" } }),
      "header-name-space": () => new Response("x", { headers: { "x bad": "yes" } }),
      "header-wide": () => new Response("x", { headers: { "x-wide": "\u20ac" } }),
    };
    let response;
    noteFailure(name, () => { response = attempts[kind](); });
    return response ?? plain();
  },
  async wait(request, [name]) {
    note(name, "waits");
    await new Promise((resolve) => {
      request.signal.addEventListener("abort", () => { note(name, "aborted"); note(name, "end"); resolve(); });
    });
    return plain();
  },
  flood: (request, [name]) => new Response(new ReadableStream({
    pull(controller) { controller.enqueue(PIECE); },
    cancel() { note(name, "cancelled"); note(name, "end"); },
  }), { headers: PLAIN }),
  async upload(request, [name]) {
    note(name, "reads");
    await noteFailure(name, async () => note(name, (await request.arrayBuffer()).byteLength));
    return plain();
  },
  async parts(request, [name]) {
    let length = 0;
    for await (const piece of request.body) {
      if (length === 0) note(name, "first");
      length += piece.length;
    }
    return answerJson({ length });
  },
  pass: (request) => new Response(request.body, { headers: PLAIN }),
};

export default {
  fetch(request) {
    const [kind, ...rest] = new URL(request.url).pathname.split("/").slice(1);
    const answer = Object.hasOwn(answers, kind) ? answers[kind] : answers.echo;
    return answer(request, rest);
  },
};
