export const kind = "module detected";
