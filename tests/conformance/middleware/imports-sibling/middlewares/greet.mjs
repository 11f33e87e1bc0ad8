import { greeting } from "./words.mjs";

export const before = (event) => `${greeting} ${event}`;
