import { ofB } from "./circular_b.mjs";
export const value = "a";
export const read = () => ofB();
