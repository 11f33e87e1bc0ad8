export * from "./esm.mjs";
export * as space from "./cjs.cjs";
export { default as renamed } from "./esm.mjs";
