// Does what an event asks for, and says what came of it.
import { DatabaseSync } from "node:sqlite";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { createRequire } from "node:module";
import child from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";

const require = createRequire(import.meta.url);

const once = (emitter, event) =>
  new Promise((resolve, reject) => emitter.once("error", reject).once(event, resolve));

const operations = {
  fetch: async (url) => (await fetch(url)).text(),
  get: (url) =>
    new Promise((resolve, reject) => {
      const request = http.get(url, (response) => {
        let text = "";
        response.on("data", (chunk) => text += chunk).on("end", () => resolve(text));
      });
      request.on("error", reject);
    }),
  connect: async (host, port) => {
    const socket = net.connect(port, host);
    await once(socket, "connect");
    socket.destroy();
    return "connected";
  },
  listen: async (host) => {
    const server = net.createServer().listen(0, host);
    await once(server, "listening");
    server.close();
    return "listening";
  },
  send: (host, port) =>
    new Promise((resolve, reject) => {
      const socket = dgram.createSocket("udp4");
      socket.on("error", reject);
      socket.send("x", port, host, (error) => {
        socket.close();
        error ? reject(error) : resolve("sent");
      });
    }),
  look_up: async (name) => (await dns.promises.lookup(name)).address,
  read: (path) => fs.readFileSync(path, "utf8"),
  read_later: (path) => fs.promises.readFile(path, "utf8"),
  read_deno: (path) => Deno.readTextFileSync(path),
  list: (path) => fs.readdirSync(path).length,
  write: (path) => fs.writeFileSync(path, "written"),
  append: (path) => fs.promises.appendFile(path, "more"),
  make: (path) => fs.mkdirSync(path),
  remove: (path) => fs.unlinkSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  copy: (from, to) => fs.copyFileSync(from, to),
  symlink: (target, path) => fs.symlinkSync(target, path),
  link: (from, to) => fs.linkSync(from, to),
  database: (path) => {
    new DatabaseSync(path).exec("create table if not exists a (b)");
    return "open";
  },
  attach: (path) => {
    new DatabaseSync(":memory:").exec(`attach database '${path}' as other`);
    return "open";
  },
  variable: (name) => process.env[name] ?? null,
  variable_deno: (name) => Deno.env.get(name) ?? null,
  variables: () => Object.keys(process.env).sort(),
  set: (name, value) => {
    process.env[name] = value;
    return process.env[name];
  },
  run: (...command) => child.execFileSync(command[0], command.slice(1), { encoding: "utf8" }).trim(),
  shell: (command) => child.execSync(command, { encoding: "utf8" }).trim(),
  run_deno: (...command) =>
    new TextDecoder().decode(new Deno.Command(command[0], { args: command.slice(1) }).outputSync().stdout).trim(),
  run_with_path: (path, name) =>
    child.execFileSync(name, [], { encoding: "utf8", env: { ...process.env, PATH: path } }).trim(),
  run_preloading: () => child.execFileSync("/bin/echo", ["a"], { encoding: "utf8", env: { LD_PRELOAD: "/a.so" } }),
  kill: () => process.kill(1, 0),
  load: (path) => {
    process.dlopen({ exports: {} }, path);
    return "loaded";
  },
  import: async (path) => Object.keys(await import(path)).length,
  import_text: async (path) => (await import(path, { with: { type: "text" } })).default,
  import_data: async (path) =>
    (await import(`data:text/javascript,export { default } from "file://${path}" with { type: "text" }`)).default,
  require: (path) => Object.keys(require(path)).length,
  change: () => os.setPriority(10),
  thread: (op, ...args) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { op, args } });
      worker.once("message", ({ ok, error }) => error ? reject(Object.assign(new Error(), error)) : resolve(ok));
      worker.once("error", reject);
    }),
  ask_for_more: async (kind) => (await Deno.permissions.request({ name: kind })).state,
};

async function outcome({ op, args }) {
  try {
    return { ok: (await operations[op](...args)) ?? null };
  } catch (error) {
    return { error: { name: error?.name, code: error?.code ?? null, message: `${error?.message} ${error?.cause?.message ?? ""}` } };
  }
}

export const handler = outcome;

if (!isMainThread) {
  parentPort.postMessage(await outcome(workerData));
}
