const { kind } = await import("../lib/esm.mjs");
export const handler = async () => kind;
