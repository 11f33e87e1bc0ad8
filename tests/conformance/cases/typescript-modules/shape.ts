import { sep } from "node:path";

/** Runs as CommonJS, and has a default export. */
const shape: string = typeof __filename === "string" && sep ? "shape" : "none";
export default shape;
export const named: string = "named";
