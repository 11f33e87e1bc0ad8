import { lstatSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { foreign } from "./foreign.mjs";

parentPort.postMessage({
  names: foreign(),
  types: [typeof Deno, typeof self, typeof location],
  versions: Object.keys(process.versions).filter((name) => ["deno", "typescript"].includes(name)),
  works: lstatSync(".").isDirectory(),
});
