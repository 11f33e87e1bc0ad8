import { end, separator } from "./punctuation.mjs";

export const greet = (name) => `Hello${separator} ${name}${end}`;
