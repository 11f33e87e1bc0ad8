export const handler = () => 1n;
