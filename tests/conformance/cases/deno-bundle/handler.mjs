export { handler } from "./function.bundle.js";
