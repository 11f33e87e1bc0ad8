export const kind = "module in type commonjs";
