const value = await Promise.resolve("awaited");
export const kind = value;
