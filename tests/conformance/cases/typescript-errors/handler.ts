import { fail } from "./common.cts";

interface Unused {
  a: 1;
}

export const handler = async (event: string): Promise<unknown> => {
  if (event === "decorator") {
    const refuse = (_class: unknown, _context: unknown): void => {
      // One that refuses.
      throw new Error("no class");
    };
    @refuse
    class Refused implements Unused {
      a = 1 as const;
    }
    return Refused.name;
  }
  return event === "commonjs" ? fail() : await import("./lazy");
};
