// The same for TypeScript's compiler.
import { basename } from "path";

enum Level {
  Low = 1,
  High,
}

interface Event {
  do: string;
}

class Refused extends Error {
  constructor(message: string, readonly level: Level) {
    super(message);
    this.name = "Refused";
  }
}

const table: Record<string, () => unknown> = {
  value: () => [Level.High, Level[1], basename("/a/b")],
  refused: () => {
    throw new Refused("as asked", Level.Low);
  },
  spread: () => ({ ...{ a: 1 }, b: [...[1, 2]] }),
};

export const handler = async (event: Event): Promise<unknown> => table[event.do]();
export default handler;
