import { name } from "secretive";

const codeOf = (promise) => promise.then(() => "loaded", (error) => error.code);

export const handler = async () => [
  name,
  await codeOf(import("secretive/hidden.js")),
  await codeOf(import("secretive/blocked/one.js")),
];
