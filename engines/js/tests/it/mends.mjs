// Looks for the faults of Deno's polyfills that Trine mends, in modules that are left as they are.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import fs from "node:fs";

const storage = new AsyncLocalStorage();
const listen = async (server) => await once(server.listen(0, "127.0.0.1"), "listening");

/** Whether each fault is still there, by the name of its mend. */
const faults = {
  async "callbacks.js"() {
    const { scrypt } = await import("node:crypto");
    const isRejection = new Promise((resolve) => {
      process.once("unhandledRejection", () => resolve(true));
      process.once("uncaughtException", () => resolve(false));
    });
    scrypt("word", "salt", 8, () => {
      throw new Error("of the callback");
    });
    return await isRejection;
  },
  async "http_client.js"() {
    const { default: http } = await import("node:http");
    const seen = [];
    const server = http.createServer((request, response) => {
      seen.push(request.url);
      request.url === "/drop" ? request.socket.destroy() : response.end();
    });
    await listen(server);
    const agent = new http.Agent({ keepAlive: true });
    const get = (path) =>
      new Promise((resolve) => {
        const request = http.get({ agent, port: server.address().port, host: "127.0.0.1", path });
        request.on("response", (response) => response.resume());
        request.on("error", () => {});
        request.on("close", resolve);
      });
    await get("/");
    await new Promise(setImmediate);
    await get("/drop");
    agent.destroy();
    server.closeAllConnections();
    server.close();
    return seen.filter((path) => path === "/drop").length > 1;
  },
  async "net.js, pause"() {
    const { default: net } = await import("node:net");
    const server = net.createServer((socket) => {
      socket.write("first");
      socket.on("data", () => socket.end("second"));
    });
    await listen(server);
    const socket = net.connect(server.address().port, "127.0.0.1");
    await once(socket, "data");
    // The stream asks for more.
    await new Promise(setImmediate);
    socket.pause();
    let text = "";
    const read = new Promise((resolve) =>
      socket.on("readable", () => {
        text += socket.read() ?? "";
        text.includes("second") && resolve();
      })
    );
    socket.write("go on");
    // It would come at once.
    await Promise.race([read, new Promise((resolve) => setTimeout(resolve, 300))]);
    socket.destroy();
    server.close();
    return !text.includes("second");
  },
  async "net.js, context"() {
    const { default: net } = await import("node:net");
    const server = net.createServer((socket) => socket.end("x"));
    await listen(server);
    const socket = storage.run("store", () => net.connect(server.address().port, "127.0.0.1"));
    const store = await new Promise((resolve) => socket.on("data", () => resolve(storage.getStore())));
    server.close();
    return store !== "store";
  },
  async "child_process.js"() {
    const { spawn } = await import("node:child_process");
    try {
      spawn("true", { stdio: 5 });
    } catch (error) {
      return error.code !== "ERR_INVALID_ARG_VALUE";
    }
  },
  async "fork.js"() {
    const { fork } = await import("node:child_process");
    try {
      fork("child.js", 5);
    } catch (error) {
      return !error.message.includes('"args"');
    }
  },
  async "dgram.js"() {
    const { default: dgram } = await import("node:dgram");
    const socket = dgram.createSocket("udp4");
    await once(socket.bind(0, "127.0.0.1"), "listening");
    const store = new Promise((resolve) => socket.on("close", () => resolve(storage.getStore())));
    storage.run("store", () => socket.close());
    return await store !== "store";
  },
  async "tls_wrap.js"() {
    const { default: tls } = await import("node:tls");
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => fs.readFileSync(new URL(name, import.meta.url)));
    const server = tls.createServer({ key, cert });
    await storage.run("store", () => listen(server));
    const store = new Promise((resolve) =>
      server.on("secureConnection", (socket) => {
        socket.end();
        resolve(storage.getStore());
      })
    );
    const socket = tls.connect({ port: server.address().port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket.resume(), "close");
    server.close();
    return await store !== "store";
  },
  async "testing.js"() {
    const { test } = await import("node:test");
    let hasRun = false;
    test("runs", () => hasRun = true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return !hasRun;
  },
  async "worker_threads.js"() {
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker("throw new Error('of the thread')", { eval: true });
    const error = await new Promise((resolve) => worker.once("error", resolve));
    return error.stack === undefined;
  },
  async "async_context.js"() {
    const signal = storage.run("store", () => AbortSignal.timeout(1));
    // The method that is mended is one of the signal's own.
    for (const name of Object.getOwnPropertySymbols(signal)) {
      if (typeof signal[name] === "function") {
        delete signal[name];
      }
    }
    const waiting = setTimeout(() => {}, 60000);
    const store = await new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(storage.getStore()))
    );
    clearTimeout(waiting);
    return store !== "store";
  },
};

export const handler = async (name) => {
  Deno[Deno.internal].trineUnmended = [name.split(",")[0]];
  return await faults[name]();
};
