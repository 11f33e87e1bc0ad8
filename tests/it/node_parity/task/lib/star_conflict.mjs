export * from "./esm.mjs";
export * from "./untyped/esm_in_js.js";
