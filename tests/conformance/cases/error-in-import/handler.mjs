import { check } from "./checks.mjs";

export const handler = (event) => check(event);
