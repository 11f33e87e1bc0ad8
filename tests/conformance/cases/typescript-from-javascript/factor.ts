export const factor: number = 3;
