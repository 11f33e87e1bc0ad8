export const mapped: string = "map";
