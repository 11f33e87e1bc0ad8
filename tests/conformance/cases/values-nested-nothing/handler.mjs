export const handler = () => ({ kept: 1, nothing: undefined });
