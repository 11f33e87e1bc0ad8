import { loaded } from "./loaded";
loaded.push("shape");
export interface Shape {
  edges: number;
}
