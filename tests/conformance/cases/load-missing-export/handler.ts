export const handler = (): number => 1;
export const other = (): number => 2;
