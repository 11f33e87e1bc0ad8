import { greet, type Greeting } from "./lib/greet.ts";
import { loads } from "./lib/punctuation.mjs";

export const handler = (event: string): { text: Greeting; loads: number } => ({
  text: greet(event),
  loads,
});
