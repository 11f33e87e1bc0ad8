import { end, separator } from "./punctuation.mjs";

export type Greeting = string;

export const greet = (name: string): Greeting => `Hello${separator} ${name}${end}`;
