const { execFileSync } = require("node:child_process");
const { once } = require("node:events");
const { lstatSync, promises } = require("node:fs");
const { freemem } = require("node:os");
const path = require("node:path");
const { Worker } = require("node:worker_threads");
const { foreign } = require("./foreign.mjs");

const failing = (call) => {
  try {
    return call();
  } catch (error) {
    return error.name;
  }
};

exports.handler = async () => {
  const types = [typeof Deno, typeof self, typeof addEventListener, typeof globalThis.window];
  const strict = failing(() => {
    "use strict";
    localStorage = 1;
  });
  globalThis.location = "mine";
  const own = location;
  delete globalThis.location;
  const worker = new Worker(path.join(__dirname, "thread.mjs"));
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
      (await promises.readdir(__dirname, { withFileTypes: true })).length > 2,
    ],
    own,
    evaluated: [new Function("return typeof Deno")(), (0, eval)("typeof self")],
    thread,
  };
};
