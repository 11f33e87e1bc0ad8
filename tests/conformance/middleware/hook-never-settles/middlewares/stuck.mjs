export const before = (event) => event.stuck ? new Promise(() => {}) : undefined;
