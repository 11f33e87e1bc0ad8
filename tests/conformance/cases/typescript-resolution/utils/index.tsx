import { name } from "..";
export const here = (): string => name;
