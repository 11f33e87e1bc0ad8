import type { Elsewhere } from "./nowhere";
export { Options } from "./shapes";
export { make as makeAgain } from "./shapes";
export type Alias = string;
export type { Elsewhere };
interface Nothing {}
class Kind {}
export { Kind, Nothing };
export const other = 1;
