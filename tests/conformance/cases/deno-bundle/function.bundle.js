export const handler = () => [typeof Deno, typeof self];
