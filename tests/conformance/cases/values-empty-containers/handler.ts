export const handler = (event: unknown): unknown => event;
