import "./effect";
import { Shape } from "./shape";
import type Missing from "./missing";
import { type AlsoMissing } from "missing";
import { Made, type MadeOptions } from "./made";
import * as types from "./types";
import { loaded } from "./loaded";
import "./verbatim/file";

export type { Shape } from "./shape";
export { type MadeOptions } from "./made";

const options: MadeOptions & Partial<Shape & Missing & AlsoMissing> = { name: "made" };

export const handler = (_event: null, _context?: Shape): unknown => ({
  loaded,
  made: new Made(options).name,
  types: Object.keys(types),
});
