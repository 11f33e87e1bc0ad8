import { square } from "squares";

export const handler = square;
