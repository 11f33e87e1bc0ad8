import { one } from "./one.mjs";

export const seen = typeof one;
export const two = () => one() + 1;
