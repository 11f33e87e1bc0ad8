import { check } from "./checks.ts";

export const handler = (event: number): number => check(event);
