globalThis.loads = (globalThis.loads ?? 0) + 1;

export const loads = globalThis.loads;
export const separator = ",";
export const end = "!";
