export const which = "typescript";
