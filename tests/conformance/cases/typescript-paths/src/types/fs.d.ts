export const nothing: string;
