import { fine } from "./broken.ts";

export const handler = (): number => fine;
