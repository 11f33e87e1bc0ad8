globalThis.loads = (globalThis.loads ?? 0) + 1;
let count = 0;

export const handler = async () => ({ count: ++count, loads: globalThis.loads });
