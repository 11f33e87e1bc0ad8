export { Kind, Nothing } from "./more";
