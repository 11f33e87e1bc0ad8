import { sep } from "node:path";

export const handler = (event) => ({ event, sep });
