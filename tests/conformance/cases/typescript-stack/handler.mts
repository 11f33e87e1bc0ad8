import { there } from "./there.ts";

interface Wide {
  a: number;
}

function here(_wide?: Wide): never {
  throw new Error("here");
}

export const handler = async (event: string): Promise<never> =>
  event === "here" ? here() : there();
