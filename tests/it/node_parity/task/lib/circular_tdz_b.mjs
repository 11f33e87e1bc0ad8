import { value } from "./circular_tdz_a.mjs";
export const seen = value;
