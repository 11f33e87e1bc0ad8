export const handler = async (event) => ({ ...event, handled: true });
