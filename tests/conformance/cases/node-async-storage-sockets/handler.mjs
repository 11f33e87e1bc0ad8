import { AsyncLocalStorage } from "node:async_hooks";
import dgram from "node:dgram";
import dns from "node:dns";
import { on, once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import tls from "node:tls";

const als = new AsyncLocalStorage();
const KEY = fs.readFileSync(new URL("./localhost-key.pem", import.meta.url));
const CERT = fs.readFileSync(new URL("./localhost.pem", import.meta.url));

/** Notes the store that each event's listener finds. */
function watch(seen, prefix, emitter, ...events) {
  for (const event of events) {
    emitter.on(event, () => {
      const name = prefix + event;
      const store = als.getStore() ?? null;
      if (!(name in seen)) seen[name] = store;
      else if (seen[name] !== store) seen[name] = `${seen[name]}|${store}`;
    });
  }
}
const note =
  (seen, name) =>
  (...args) => {
    seen[name] = als.getStore() ?? null;
    return args;
  };
const listen = (server, ...args) => new Promise((resolve) => server.listen(...args, resolve));

const probes = {
  async netClient() {
    const seen = {};
    const server = net.createServer((socket) => socket.on("data", (d) => socket.end(d)));
    await listen(server, 0, "127.0.0.1");
    const socket = als.run("client", () => net.connect(server.address().port, "127.0.0.1"));
    watch(seen, "", socket, "connect", "ready", "data", "end", "finish", "close");
    als.run("write", () => socket.write("x", note(seen, "written")));
    await once(socket, "close");
    server.close();
    return seen;
  },
  async netClientLookup() {
    const seen = {};
    const server = net.createServer((socket) => socket.end("x"));
    await listen(server, 0, "127.0.0.1");
    const socket = als.run("client", () =>
      net.connect(
        { port: server.address().port, host: "localhost", family: 4 },
        note(seen, "callback"),
      ),
    );
    watch(seen, "", socket, "lookup", "connect", "data", "end", "close");
    await once(socket, "close");
    server.close();
    return seen;
  },
  async netListenersInside() {
    const seen = {};
    const server = net.createServer((socket) => socket.end("x"));
    await listen(server, 0, "127.0.0.1");
    await als.run("client", async () => {
      const socket = net.connect(server.address().port, "127.0.0.1");
      watch(seen, "", socket, "connect", "data", "end", "close");
      await once(socket, "close");
      seen.after = als.getStore();
    });
    server.close();
    return seen;
  },
  async netError() {
    const seen = {};
    const server = net.createServer();
    await listen(server, 0, "127.0.0.1");
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    const socket = als.run("client", () => net.connect(port, "127.0.0.1"));
    watch(seen, "", socket, "error", "close");
    await new Promise((resolve) => socket.on("close", resolve));
    return seen;
  },
  async netTimeout() {
    const seen = {};
    const server = net.createServer((socket) => socket.resume());
    await listen(server, 0, "127.0.0.1");
    const socket = als.run("client", () => net.connect(server.address().port, "127.0.0.1"));
    await once(socket, "connect");
    als.run("timeout", () => socket.setTimeout(10));
    watch(seen, "", socket, "timeout", "close");
    await once(socket, "timeout");
    als.run("destroy", () => socket.destroy());
    await once(socket, "close");
    server.close();
    return seen;
  },
  async netServer() {
    const seen = {};
    const server = als.run("create", () => net.createServer());
    server.on("connection", (socket) => {
      watch(seen, "socket ", socket, "data", "end", "finish");
      socket.on("data", (d) => socket.end(d));
    });
    watch(seen, "", server, "listening", "connection", "close");
    als.run("listen", () => server.listen(0, "127.0.0.1", note(seen, "callback")));
    await once(server, "listening");
    const socket = als.run("client", () => net.connect(server.address().port, "127.0.0.1"));
    socket.write("x");
    socket.resume();
    await once(socket, "close");
    als.run("close", () => server.close(note(seen, "close callback")));
    await once(server, "close");
    return seen;
  },
  async netAsyncIteration() {
    const seen = { chunks: [] };
    const server = net.createServer((socket) => {
      socket.write("a");
      setTimeout(() => socket.end("b"), 10);
    });
    await listen(server, 0, "127.0.0.1");
    const socket = als.run("client", () => net.connect(server.address().port, "127.0.0.1"));
    await als.run("loop", async () => {
      for await (const _ of socket) seen.chunks.push(als.getStore());
      seen.after = als.getStore();
    });
    server.close();
    return seen;
  },
  async pipe() {
    const seen = {};
    const file = path.join(os.tmpdir(), `als-${process.pid}-${Math.random()}.sock`);
    const server = net.createServer((socket) => socket.end("x"));
    await listen(server, file);
    const socket = als.run("client", () => net.connect(file));
    watch(seen, "", socket, "connect", "data", "end", "close");
    await once(socket, "close");
    server.close();
    return seen;
  },
  async duplexFromSocket() {
    const seen = {};
    const server = net.createServer((socket) => socket.pipe(socket));
    await listen(server, 0, "127.0.0.1");
    await als.run("client", async () => {
      const socket = net.connect(server.address().port, "127.0.0.1");
      const through = socket.pipe(new PassThrough());
      through.on("data", note(seen, "piped"));
      through.on("end", note(seen, "piped end"));
      socket.end("x", note(seen, "end callback"));
      await once(through, "end");
      seen.once = als.getStore();
    });
    server.close();
    return seen;
  },
  async paused() {
    const seen = {};
    const server = net.createServer((socket) => socket.end("xyz"));
    await listen(server, 0, "127.0.0.1");
    await als.run("client", async () => {
      const socket = net.connect(server.address().port, "127.0.0.1");
      socket.on("readable", () => {
        seen.readable = als.getStore() ?? null;
        while (socket.read(1));
      });
      watch(seen, "", socket, "end", "close");
      await once(socket, "close");
    });
    server.close();
    return seen;
  },
  async tls() {
    const seen = {};
    const server = als.run("create", () => tls.createServer({ key: KEY, cert: CERT }));
    server.on("secureConnection", (socket) => {
      watch(seen, "socket ", socket, "data", "end", "finish");
      socket.on("data", (d) => socket.end(d));
    });
    watch(seen, "server ", server, "listening", "connection", "secureConnection");
    await als.run("listen", () => listen(server, 0, "127.0.0.1"));
    const socket = als.run("client", () =>
      tls.connect(
        { port: server.address().port, host: "127.0.0.1", ca: CERT, servername: "localhost" },
        note(seen, "callback"),
      ),
    );
    watch(
      seen,
      "client ",
      socket,
      "connect",
      "secureConnect",
      "secure",
      "data",
      "end",
      "finish",
      "close",
    );
    als.run("write", () => socket.write("x"));
    await once(socket, "close");
    server.close();
    return seen;
  },
  async dgram() {
    const seen = {};
    const socket = als.run("create", () => dgram.createSocket("udp4"));
    watch(seen, "", socket, "listening", "message", "close");
    als.run("bind", () => socket.bind(0, "127.0.0.1", note(seen, "bind callback")));
    await once(socket, "listening");
    const message = once(socket, "message");
    als.run("send", () =>
      socket.send("x", socket.address().port, "127.0.0.1", note(seen, "send callback")),
    );
    await message;
    const closed = once(socket, "close");
    als.run("close", () => socket.close(note(seen, "close callback")));
    await closed;
    return seen;
  },
  async dns() {
    const seen = {};
    await new Promise((resolve) =>
      als.run("lookup", () =>
        dns.lookup("localhost", () => {
          note(seen, "lookup")();
          resolve();
        }),
      ),
    );
    await als.run("promise", async () => {
      await dns.promises.lookup("localhost");
      seen.promise = als.getStore();
    });
    await new Promise((resolve) =>
      als.run("service", () =>
        dns.lookupService("127.0.0.1", 80, () => {
          note(seen, "service")();
          resolve();
        }),
      ),
    );
    return seen;
  },
};

export const handler = async (name) => await probes[name]();
