import { fine } from "./broken.mjs";

export const handler = () => fine;
