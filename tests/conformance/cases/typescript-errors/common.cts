import { sep } from "node:path";
import type { Nothing } from "./nothing";

interface Unused {
  a: 1;
}

export const fail = (unused?: Unused & Nothing): never => {
  void unused;
  // The line below is that of the error.
  throw new TypeError(sep ? "thrown" : "");
};
