import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
export const kind = require("./cjs.cjs").kind;
