export const kind = "esm";
export default function theDefault() {}
