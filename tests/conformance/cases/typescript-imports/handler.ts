import type { Nothing } from "./does-not-exist.ts";
import { double, type Doubled } from "./double.ts";
import * as everything from "./double.ts";

export type { Doubled } from "./double.ts";

export const handler = (event: number, _context: Nothing) => {
  const doubled: Doubled = double(event);
  return { doubled, again: everything.double(event), kind: typeof doubled };
};
