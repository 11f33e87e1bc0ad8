export { name } from "./config";
