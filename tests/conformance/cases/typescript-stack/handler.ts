import { there } from "./there.ts";

interface Wide {
  a: number;
  b: number;
}

type Alias = Wide | undefined;

function here(_alias: Alias): never {
  // A comment.
  throw new Error("here");
}

export const handler = (event: string): never => (event === "here" ? here(undefined) : there());
