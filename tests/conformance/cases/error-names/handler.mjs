import { readFile } from "node:fs/promises";

const failures = {
  any: () => Promise.any([Promise.reject(new Error("one"))]),
  abort: () => fetch("http://127.0.0.1:1/", { signal: AbortSignal.abort() }),
  file: () => readFile("/no/such/file"),
  json: () => JSON.parse("{"),
  regexp: () => new RegExp("("),
  dom: () => atob("*"),
};

export const handler = async (event) => await failures[event]();
