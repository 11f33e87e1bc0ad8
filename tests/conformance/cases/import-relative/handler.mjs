import { greet } from "./lib/greet.mjs";
import { loads } from "./lib/punctuation.mjs";
import "./lib/punctuation.mjs";

export const handler = (event) => ({ text: greet(event), loads });
