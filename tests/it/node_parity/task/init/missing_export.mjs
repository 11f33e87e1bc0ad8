import { absent } from "../lib/esm.mjs";
export const handler = async () => absent;
