export const longest: string = "longest";
