import { AsyncLocalStorage } from "node:async_hooks";
import { on, once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

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
const tick = () => new Promise((resolve) => setImmediate(resolve));

const probes = {
  async httpClient() {
    const seen = {};
    const server = http.createServer((request, response) => {
      request.resume();
      response.end("x");
    });
    await listen(server, 0, "127.0.0.1");
    const request = als.run("client", () =>
      http.request({
        port: server.address().port,
        host: "127.0.0.1",
        method: "POST",
        agent: false,
      }),
    );
    watch(seen, "", request, "socket", "finish", "response", "close");
    const done = once(request, "close");
    request.on("response", (response) => {
      watch(seen, "response ", response, "data", "end", "close");
    });
    als.run("end", () => request.end("body", note(seen, "end callback")));
    await done;
    server.close();
    return seen;
  },
  async httpKeepAlive() {
    const seen = {};
    const server = http.createServer((request, response) => {
      request.resume();
      response.end("x");
    });
    await listen(server, 0, "127.0.0.1");
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const all = ["first", "second", "third"].map((name) =>
      als.run(name, () => {
        const request = http.get({ port: server.address().port, host: "127.0.0.1", agent });
        watch(seen, `${name} `, request, "socket", "finish", "response", "close");
        request.on("response", (response) =>
          watch(seen, `${name} response `, response, "data", "end", "close"),
        );
        return once(request, "close");
      }),
    );
    await Promise.all(all);
    await als.run("fourth", () => {
      const request = http.get({ port: server.address().port, host: "127.0.0.1", agent });
      watch(seen, `fourth `, request, "socket", "finish", "response", "close");
      request.on("response", (response) =>
        watch(seen, `fourth response `, response, "data", "end", "close"),
      );
      return once(request, "close");
    });
    agent.destroy();
    server.close();
    return seen;
  },
  async httpErrors() {
    const seen = {};
    const server = http.createServer((request) => {
      request.on("error", () => {});
      if (request.url === "/drop") request.socket.destroy();
    });
    await listen(server, 0, "127.0.0.1");
    const options = { port: server.address().port, host: "127.0.0.1", agent: false };
    const dropped = als.run("dropped", () => http.get({ ...options, path: "/drop" }));
    watch(seen, "dropped ", dropped, "error", "close");
    await new Promise((resolve) => dropped.on("close", resolve));
    const slow = als.run("slow", () => http.get({ ...options, timeout: 20 }));
    watch(seen, "slow ", slow, "timeout", "error", "close");
    slow.on("timeout", () => slow.destroy());
    await new Promise((resolve) => slow.on("close", resolve));
    const aborted = als.run("aborted", () =>
      http.get({ ...options, signal: AbortSignal.timeout(20) }),
    );
    watch(seen, "aborted ", aborted, "error", "close");
    await new Promise((resolve) => aborted.on("close", resolve));
    server.closeAllConnections();
    server.close();
    return seen;
  },
  async httpServerEnterWith() {
    const seen = {};
    const server = http.createServer((request, response) => {
      als.run(request.url, () => {
        watch(seen, `${request.url} request `, request, "data");
        request.on("end", () => setTimeout(() => response.end("x"), 5));
      });
    });
    await listen(server, 0, "127.0.0.1");
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ["/a", "/b"]) {
      const request = http.request({
        port: server.address().port,
        host: "127.0.0.1",
        method: "POST",
        agent,
        path,
      });
      request.end("body");
      const [response] = await once(request, "response");
      response.resume();
      await once(response, "end");
      await tick();
    }
    agent.destroy();
    server.close();
    return seen;
  },
  async httpUpgrade() {
    const seen = {};
    const server = http.createServer();
    server.on("upgrade", (request, socket) => {
      note(seen, "server upgrade")();
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      watch(seen, "server socket ", socket, "data", "end", "close");
      socket.on("data", (d) => socket.end(d));
    });
    await als.run("listen", () => listen(server, 0, "127.0.0.1"));
    const request = als.run("client", () =>
      http.get({
        port: server.address().port,
        host: "127.0.0.1",
        headers: { connection: "Upgrade", upgrade: "x" },
      }),
    );
    const [, socket] = await once(request, "upgrade");
    als.run("late", () => watch(seen, "client socket ", socket, "data", "end", "close"));
    socket.write("ping");
    await once(socket, "close");
    server.close();
    return seen;
  },
  async httpsKeepAlive() {
    const seen = {};
    const server = https.createServer({ key: KEY, cert: CERT }, (request, response) => {
      request.resume();
      response.end("x");
    });
    await listen(server, 0, "127.0.0.1");
    const agent = new https.Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: CERT,
      servername: "localhost",
    });
    for (const name of ["first", "second"]) {
      await als.run(name, async () => {
        const request = https.get({ port: server.address().port, host: "127.0.0.1", agent });
        watch(seen, `${name} `, request, "socket", "finish", "response", "close");
        request.on("response", (response) =>
          watch(seen, `${name} response `, response, "data", "end", "close"),
        );
        await once(request, "close");
        await tick();
      });
    }
    agent.destroy();
    server.close();
    return seen;
  },
  async fetch() {
    const seen = {};
    const server = http.createServer((request, response) => {
      request.resume();
      response.write("x");
      setTimeout(() => response.end("y"), 5);
    });
    await listen(server, 0, "127.0.0.1");
    const url = `http://127.0.0.1:${server.address().port}`;
    await als.run("client", async () => {
      const response = await fetch(url);
      seen.response = als.getStore();
      for await (const _ of response.body) seen.chunk = als.getStore();
      seen.end = als.getStore();
    });
    await als.run("then", () =>
      fetch(url)
        .then((r) => r.text())
        .then(note(seen, "then"))
        .finally(note(seen, "finally")),
    );
    await als.run("refused", () => fetch("http://127.0.0.1:1").catch(note(seen, "refused")));
    server.closeAllConnections();
    server.close();
    return seen;
  },
};

export const handler = async (name) => await probes[name]();
