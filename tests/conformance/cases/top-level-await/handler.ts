const state: string = await new Promise((resolve) => setTimeout(resolve, 10, "ready"));

export const handler = (): string => state;
