import { gone } from "./lib/gone.mjs";

export const handler = () => gone;
