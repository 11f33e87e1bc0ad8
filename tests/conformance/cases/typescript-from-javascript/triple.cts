import { factor } from "./factor";

export const triple = (value: number): number => factor * value;
export default "default" as string;
