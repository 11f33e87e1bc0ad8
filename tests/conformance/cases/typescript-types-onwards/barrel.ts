import { Alias, makeAgain, Options as Imported } from "./more";

export { make, Options, Renamed as Other, Shape, Size } from "./shapes";
export { Alias, makeAgain, Imported };
export { Kind, Nothing } from "./again.js";
export * from "./more";
