const counters = globalThis as unknown as { loads?: number };
counters.loads = (counters.loads ?? 0) + 1;
let count: number = 0;

export const handler = () => ({ count: ++count, loads: counters.loads });
