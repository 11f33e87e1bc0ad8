// A listener of node:http that answers as badly and as well as applications do, and tells what it saw: see asgi.py.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { gate, note, noteFailure, notes, shown } from "./telling.mjs";

const PLAIN = { "content-type": "text/plain" };
const PIECE = "x".repeat(65536);

async function read(req) {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  return Buffer.concat(pieces);
}

function told(req) {
  return {
    method: req.method,
    url: req.url,
    httpVersion: req.httpVersion,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    headersDistinct: req.headersDistinct,
    remoteAddress: req.socket.remoteAddress,
    remoteFamily: req.socket.remoteFamily,
    remotePort: req.socket.remotePort,
    localPort: req.socket.localPort,
    encrypted: req.socket.encrypted ?? false,
  };
}

function answerJson(res, value) {
  const text = JSON.stringify(value);
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
}

const plain = (res) => res.writeHead(200, { ...PLAIN, "content-length": 5 }).end("plain");

const answers = {
  async echo(req, res) {
    const saw = told(req);
    // One that does not come whole has been answered by the server.
    const bytes = await read(req).catch(() => undefined);
    if (bytes === undefined) return;
    const body = shown(bytes);
    const after = { complete: req.complete, trailers: req.trailers, rawTrailers: req.rawTrailers };
    answerJson(res, { ...saw, body, ...after });
  },
  plain(req, res) { plain(res); },
  early(req, res) { plain(res); },
  "no-length"(req, res) { res.writeHead(200, PLAIN); res.write("no "); res.end("length"); },
  "one-end"(req, res) { res.setHeader("content-type", "text/plain"); res.end("one end"); },
  "no-type"(req, res) { res.end("no type"); },
  pieces(req, res) {
    res.writeHead(200, PLAIN);
    for (const piece of ["one,", "two,", "three"]) res.write(piece);
    res.end();
  },
  async stream(req, res, [name]) {
    res.writeHead(200, PLAIN);
    res.write("first,");
    await gate(name).opened;
    res.write("second,");
    res.end("last");
  },
  async "flush-headers"(req, res, [name]) {
    res.writeHead(200, PLAIN).flushHeaders();
    await gate(name).opened;
    res.end("last");
  },
  go(req, res, [name]) { gate(name).open(); plain(res); },
  seen(req, res, [name]) { answerJson(res, notes(name)); },
  status(req, res, [code]) { res.writeHead(Number(code)).end(); },
  "status-with-body"(req, res, [code]) { res.writeHead(Number(code), PLAIN).end("a body"); },
  reason(req, res) { res.writeHead(200, "Fine By Me", PLAIN).end("ok"); },
  cookies(req, res) {
    res.setHeader("set-cookie", ["a=1; Path=/", "b=2; HttpOnly"]);
    res.setHeader("x-twice", ["1", "2"]);
    res.setHeader("content-length", 0);
    res.end();
  },
  capitals(req, res) {
    res.writeHead(200, { "Content-Type": "text/plain", "X-mixed-CASE": "Yes", "Content-Length": "2" }).end("ok");
  },
  latin(req, res) {
    const utf8 = Buffer.from("café").toString("latin1");
    res.writeHead(200, { "x-latin": "caf\xe9", "x-utf8": utf8, "content-length": 0 }).end();
  },
  "empty-header"(req, res) {
    res.writeHead(200, { "x-empty": "", "x-spaces": "  a  b  ", "content-length": 0 }).end();
  },
  "own-server"(req, res) {
    const own = { server: "own", date: "Thu, 01 Jan 1970 00:00:00 GMT", "content-length": 0 };
    res.writeHead(200, own).end();
  },
  "no-date"(req, res) { res.sendDate = false; plain(res); },
  close(req, res) { res.writeHead(200, { ...PLAIN, connection: "close", "content-length": 3 }).end("end"); },
  redirect(req, res) { res.writeHead(303, { location: "/plain", "content-length": 0 }).end(); },
  large(req, res, [count]) {
    res.writeHead(200, { ...PLAIN, "content-length": count }).end("x".repeat(Number(count)));
  },
  async "large-pieces"(req, res, [count]) {
    res.writeHead(200, PLAIN);
    for (let n = 0; n < Number(count); n++) {
      if (!res.write(PIECE)) await new Promise((resolve) => res.once("drain", resolve));
    }
    res.end();
  },
  short(req, res) { res.writeHead(200, { ...PLAIN, "content-length": 10 }).end("short"); },
  long(req, res) { res.writeHead(200, { ...PLAIN, "content-length": 5 }).end("much longer"); },
  "strict-long"(req, res, [name]) {
    res.strictContentLength = true;
    res.writeHead(200, { ...PLAIN, "content-length": 5 });
    noteFailure(name, () => res.end("much longer"));
    res.destroy();
  },
  "own-chunked"(req, res) { res.writeHead(200, { ...PLAIN, "transfer-encoding": "chunked" }).end("chunked by itself"); },
  raises() { throw new Error("before the answer"); },
  async rejects() { throw new Error("before the answer"); },
  "raises-late"(req, res) { res.writeHead(200, PLAIN); res.write("begun"); throw new Error("in the answer"); },
  destroys(req, res) { res.destroy(); },
  "destroys-late"(req, res, [name]) {
    res.writeHead(200, PLAIN);
    res.write("begun", () => res.destroy());
    res.on("close", () => { note(name, { writableFinished: res.writableFinished }); note(name, "end"); });
  },
  "start-twice"(req, res, [name]) {
    plain(res);
    noteFailure(name, () => res.writeHead(201));
  },
  "header-late"(req, res, [name]) {
    plain(res);
    noteFailure(name, () => res.setHeader("x-late", "yes"));
  },
  "after-end"(req, res, [name]) {
    res.on("error", (error) => { note(name, error.code); note(name, "end"); });
    plain(res);
    res.write("more");
  },
  "end-twice"(req, res, [name]) {
    plain(res);
    res.end();
    res.end(() => { note(name, "called back"); note(name, "end"); });
  },
  events(req, res, [name]) {
    for (const event of ["finish", "close"]) {
      res.on(event, () => {
        note(name, `res ${event}`);
        if (event === "close") note(name, "end");
      });
    }
    req.on("end", () => note(name, "req end"));
    req.resume();
    req.on("end", () => plain(res));
  },
  state(req, res, [name]) {
    const state = () => [res.headersSent, res.writableEnded, res.writableFinished, res.statusCode, res.statusMessage ?? null];
    note(name, state());
    plain(res);
    note(name, state());
    res.on("finish", () => { note(name, state()); note(name, "end"); });
  },
  wrong(req, res, [kind, name]) {
    const attempts = {
      "body-number": () => res.end(1),
      "body-object": () => res.end({}),
      "body-null": () => res.write(null),
      "body-array": () => res.end(new Uint8Array([111, 107])),
      "status-text": () => res.writeHead("many"),
      "status-small": () => res.writeHead(99),
      "status-large": () => res.writeHead(1000),
      "status-property": () => { res.statusCode = "201"; res.end(); },
      "header-newline": () => res.setHeader("x-split", "a\r\nx-smuggled: yes"),
      "header-name-space": () => res.setHeader("x bad", "yes"),
      "header-undefined": () => res.setHeader("x-undefined", undefined),
      "header-number": () => { res.setHeader("x-number", 1); res.end(); },
      "header-wide": () => res.setHeader("x-wide", "\u20ac"),
      "reason-newline": () => res.writeHead(200, "OK\r\nx-smuggled: yes"),
    };
    noteFailure(name, attempts[kind]);
    res.statusMessage = "";
    if (!res.writableEnded) res.end("x");
  },
  trailers(req, res) {
    res.writeHead(200, { ...PLAIN, trailer: "x-sum" });
    res.write("with trailers");
    res.addTrailers({ "x-sum": "42" });
    res.end();
  },
  hints(req, res) {
    res.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
    plain(res);
  },
  processing(req, res) { res.writeProcessing(); plain(res); },
  "many-headers"(req, res, [count]) {
    for (let n = 0; n < Number(count); n++) res.setHeader(`x-${n}`, "yes");
    plain(res);
  },
  async wait(req, res, [name]) {
    note(name, "waits");
    req.on("aborted", () => note(name, "req aborted"));
    res.on("close", () => {
      note(name, { event: "res close", destroyed: req.destroyed, finished: res.writableFinished });
      note(name, "end");
    });
  },
  async flood(req, res, [name]) {
    res.writeHead(200, PLAIN);
    let isOpen = true;
    res.on("close", () => { isOpen = false; });
    for (let n = 0; n < 20000 && isOpen; n++) {
      if (!res.write(PIECE)) await new Promise((resolve) => { res.once("drain", resolve); res.once("close", resolve); });
    }
    note(name, isOpen ? "went on" : "closed");
    note(name, "end");
  },
  async upload(req, res, [name]) {
    note(name, "reads");
    await noteFailure(name, async () => note(name, (await read(req)).length));
    plain(res);
  },
  async parts(req, res, [name]) {
    let length = 0;
    for await (const piece of req) {
      if (length === 0) note(name, "first");
      length += piece.length;
    }
    answerJson(res, { length });
  },
  async background(req, res, [name]) {
    plain(res);
    await gate(name).opened;
    note(name, "end");
  },
};

const server = createServer((req, res) => {
  const [kind, ...rest] = req.url.split("?")[0].split("/").slice(1);
  const answer = Object.hasOwn(answers, kind) ? answers[kind] : answers.echo;
  return answer(req, res, rest);
});

// Upgrades by hand: of WebSockets as much as an echo needs, and a protocol of our own.
const upgrades = {
  lines(req, socket, head) {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: lines\r\nConnection: Upgrade\r\nX-Own: yes\r\n\r\n");
    const take = (data) => {
      const text = data.toString();
      socket.write(`you said ${text}`);
      if (text.includes("bye")) socket.end();
    };
    if (head.length > 0) take(head);
    socket.on("data", take);
  },
  websocket(req, socket) {
    const key = req.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", (frame) => {
      const length = frame[1] & 127;
      const data = frame.subarray(6, 6 + length).map((byte, at) => byte ^ frame[2 + (at % 4)]);
      socket.write(Buffer.concat([Buffer.from([frame[0], length]), data]));
      if ((frame[0] & 15) === 8) socket.end();
    });
  },
  refused(req, socket) {
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\nnot so");
  },
  ends(req, socket) { socket.destroy(); },
};

server.on("upgrade", (req, socket, head) => {
  socket.on("error", () => {});
  const kind = req.url.split("/")[1];
  (upgrades[kind] ?? upgrades.refused)(req, socket, head);
});

server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1");
