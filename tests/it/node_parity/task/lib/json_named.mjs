import { a } from "./data.json" with { type: "json" };
export default a;
