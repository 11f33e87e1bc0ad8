export const before = (event) => ({ ...event });
