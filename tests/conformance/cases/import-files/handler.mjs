import { readFile } from "node:fs/promises";

export const handler = () => readFile(new URL("./data.txt", import.meta.url), "utf8");
