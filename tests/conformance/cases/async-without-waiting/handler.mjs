export const handler = async (event) => await Promise.resolve(event);
