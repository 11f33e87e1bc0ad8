export const handler = async () => "named";
export function declared() {
  return Promise.resolve("declared");
}
export async function* generator() {
  yield 1;
}
const aliased = async () => "aliased";
export { aliased as other, aliased as "string name" };
export const object = { handler: async () => "in an object" };
export class Class {
  static async handler() {
    return "static";
  }
}
export let late;
setTimeout(() => late = async () => "late");
export const thisValue = async function () {
  return typeof this;
};
export const meta = async () => [
  import.meta.url,
  import.meta.filename,
  import.meta.dirname,
  typeof import.meta.resolve,
  import.meta.resolve("./module.mjs"),
  import.meta.resolve("node:fs"),
  import.meta.main,
  Object.keys(import.meta).sort(),
];
export const scope = async () => [typeof require, typeof module, typeof exports, typeof __dirname, typeof __filename, this === undefined];
export default { handler: async () => "of the default", onlyDefault: async () => "only in the default" };
export async function failing() {
  throw new Error("declared");
}
export const failingArrow = async () => {
  throw new Error("arrow");
};
export const failingFunction = async function () {
  throw new Error("function");
};
