export const kind = "both.mjs";
