import { seen, two } from "./two.mjs";

export function one() {
  return 1;
}

export const early = seen;
export const late = () => typeof one;
export const sum = () => one() + two();
