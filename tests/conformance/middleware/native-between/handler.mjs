export const handler = (event) => ({ ...event, add: (n) => event.n + n });
