const state = await new Promise((resolve) => setTimeout(resolve, 10, "ready"));

export const handler = () => state;
