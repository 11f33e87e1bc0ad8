import { nowhere } from "./nowhere";

export const lazy = nowhere;
