let calls = 0;

export const handler = () => ({ calls: ++calls });
