import { loaded } from "./loaded";
loaded.push("effect");
