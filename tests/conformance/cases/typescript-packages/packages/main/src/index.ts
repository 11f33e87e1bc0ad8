import { name } from "~/names";

export const main: string = `src/${name}`;
