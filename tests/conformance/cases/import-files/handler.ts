import { readFileSync } from "node:fs";

export const handler = (): string => readFileSync(`${import.meta.dirname}/data.txt`, "utf8");
