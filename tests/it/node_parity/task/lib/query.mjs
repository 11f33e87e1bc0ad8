export const search = new URL(import.meta.url).search;
export const hash = new URL(import.meta.url).hash;
globalThis.queryCount = (globalThis.queryCount ?? 0) + 1;
