import { createRequire } from "node:module";
import { dirname } from "node:path";

const require = createRequire(import.meta.url);
const last = (path) => path.split("/").at(-1);

export const handler = () => ({
  protocol: new URL(import.meta.url).protocol,
  dirname: import.meta.dirname === dirname(import.meta.filename),
  filename: last(import.meta.filename),
  resolved: last(import.meta.resolve("./other.mjs")),
  builtin: import.meta.resolve("node:fs"),
  required: require("./other.cjs"),
});
