export { name } from "../../config";
