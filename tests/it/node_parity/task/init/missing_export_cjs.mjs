import { absent } from "../lib/cjs.cjs";
export const handler = async () => absent;
