export const handler = "a string";
