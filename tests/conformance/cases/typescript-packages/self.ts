export { self } from "./self/";
