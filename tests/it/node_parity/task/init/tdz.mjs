import "../lib/circular_tdz_a.mjs";
export const handler = async () => 1;
