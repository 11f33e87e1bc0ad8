export { nested } from "~/nested";
