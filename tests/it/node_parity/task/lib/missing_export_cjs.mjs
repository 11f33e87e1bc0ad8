import { absent } from "./cjs.cjs";
