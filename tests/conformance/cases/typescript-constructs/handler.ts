import { Level, Weight } from "./levels";

enum Size {
  Small,
  Medium = 5,
  Large,
}

enum Size {
  Huge = Large * 2,
}

enum Text {
  A = "a",
  B = "b",
}

enum Computed {
  Length = "abc".length,
}

enum Flag {
  None = 0,
  Read = 1 << 1,
  Write = 1 << 2,
  Both = Read | Write,
}

const enum Constant {
  One = 1,
  Eight = One << 3,
}

namespace Space {
  export const inner = "inner";
  export namespace Deep {
    export const more = "more";
  }
}

namespace Space {
  export const merged = `${inner}+${Deep.more}+merged`;
}

function callable(): string {
  return "called";
}

namespace callable {
  export let count = 1;
  count += 1;
}

class Made {
  kind = "made";
}

namespace Made {
  export const where = "static";
}

class Ordered {
  second = `y=${this.first}`;

  constructor(readonly first: string) {}
}

class Base {
  log: string[] = [];

  constructor() {
    this.log.push("b");
  }
}

class Derived extends Base {
  constructor(private readonly name: string, protected optional?: string) {
    super();
    this.log.push(this.name);
  }

  get what(): string {
    return this.optional ?? "none";
  }
}

class Declared {
  declare later: string;
  accessor value: number = 1;
}

export const handler = (): unknown => {
  const derived = new Derived("a");
  const ordered = new Ordered("x");
  const declared = new Declared();
  const first = declared.value++;
  return {
    sizes: [Size.Small, Size.Medium, Size.Large, Size.Huge],
    reverse: Size[5],
    text: Text.B,
    computed: Computed.Length,
    flags: Flag.Both,
    constant: [Constant.One, Constant.Eight],
    local: Space.merged,
    function: [callable(), callable.count],
    class: [new Made().kind, Made.where],
    order: [ordered.first, ordered.second],
    kept: derived.log,
    optional: derived.what,
    declared: "later" in declared,
    accessor: [first, declared.value],
    imported: Weight.Heavy,
    exported: Level[Level.Low],
  };
};
