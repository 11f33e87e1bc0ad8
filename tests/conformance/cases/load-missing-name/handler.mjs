import { absent } from "./names.mjs";

export const handler = () => absent;
