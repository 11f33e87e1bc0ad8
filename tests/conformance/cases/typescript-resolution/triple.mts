export const triple = (value: number): number => 3 * value;
