import { gone } from "./lib/gone.ts";

export const handler = () => gone;
