enum Color {
  Red,
  Green,
}

const enum Level {
  Low = "low",
}

namespace Shapes {
  export const area = (width: number, height: number): number => width * height;
}

class Point {
  declare readonly unused: string;
  #hidden = 3;

  constructor(
    public readonly x: number,
    protected y: number,
  ) {}

  get pair(): [number, number] {
    return [this.x, this.y];
  }

  get hidden() {
    return this.#hidden;
  }
}

abstract class Base<T> {
  abstract describe(value: T): string;
}

class Lists extends Base<unknown[]> {
  override describe(value: unknown[]): string {
    return `${value.length} items`;
  }
}

function first<const T extends readonly unknown[]>(list: T): T[0] | undefined {
  return list[0];
}

function overload(value: string): string;
function overload(value: number): string;
function overload(value: unknown): string {
  return typeof value;
}

type Event = { items: string[] };

export const handler = async (event: Event) => {
  const point = new Point(1, 2);
  const options = { width: 2, height: 3 } satisfies Record<string, number>;
  return {
    first: first(event.items as readonly string[])!,
    color: Color.Green,
    name: Color[Color.Green],
    level: Level.Low,
    point: point.pair,
    area: Shapes.area(options.width, options.height),
    label: new Lists().describe(<unknown[]> event.items),
    overload: overload(1),
    private: point.hidden,
  };
};
