export const handler = (event) => event.length;
