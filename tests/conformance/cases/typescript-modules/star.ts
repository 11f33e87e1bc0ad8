export * from "./more";
export type { Shape } from "./types";
export const a: string = "a";
