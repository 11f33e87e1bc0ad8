import "./circular_tdz_b.mjs";
export const value = "a";
