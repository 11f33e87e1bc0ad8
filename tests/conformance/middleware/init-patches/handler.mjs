const atStart = structuredClone(1);

export const handler = () => [atStart, structuredClone(2)];
