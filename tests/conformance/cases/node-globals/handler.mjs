import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, promises } from "node:fs";
import { freemem } from "node:os";
import { Worker } from "node:worker_threads";
import { foreign } from "./foreign.mjs";

const failing = (call) => {
  try {
    return call();
  } catch (error) {
    return error.name;
  }
};

export const handler = async () => {
  const types = [typeof Deno, typeof self, typeof addEventListener, typeof globalThis.window];
  const strict = failing(() => {
    localStorage = 1;
  });
  globalThis.location = "mine";
  const own = location;
  delete globalThis.location;
  const worker = new Worker(new URL("./thread.mjs", import.meta.url));
  const [thread] = await once(worker, "message");
  await worker.terminate();
  return {
    names: foreign(),
    absent: failing(() => Deno),
    types,
    strict,
    versions: Object.keys(process.versions).filter((name) => ["deno", "typescript"].includes(name)),
    global: [String(globalThis), globalThis.constructor.name],
    agent: /^Node\.js\/\d+$/.test(navigator.userAgent),
    works: [
      lstatSync(".").isDirectory(),
      freemem() > 0,
      typeof process.getuid() === "number",
      execFileSync("echo", ["hi"]).toString(),
      await fetch("data:text/plain,text").then((response) => response.text()),
      (await promises.readdir(new URL(".", import.meta.url), { withFileTypes: true })).length > 2,
    ],
    own,
    evaluated: [new Function("return typeof Deno")(), (0, eval)("typeof self")],
    thread,
  };
};
