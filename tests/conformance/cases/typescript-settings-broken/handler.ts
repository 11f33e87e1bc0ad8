export const handler = (event: number) => event;
