import { value } from "./circular_a.mjs";
export const ofB = () => `b saw ${value}`;
