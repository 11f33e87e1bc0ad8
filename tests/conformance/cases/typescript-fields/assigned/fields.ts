export { look } from "../assigned/look";

const name = "outer";

class Base {
  log: string[] = ["base"];
}

class Ordered extends Base {
  first = this.log.push(this.property);
  second = this.log.push("field");
  #third = this.log.push("private");

  constructor(readonly property: string) {
    super();
    this.log.push("constructor", String(this.#third).slice(9));
  }
}

class Captured {
  inner = name;

  constructor(name: string) {
    void name;
  }
}

class Implicit extends Array<number> {
  extra = 2;
}

export const order = (): string[] => new Ordered("property").log.slice(0, 5);
export const captured = (): string => new Captured("parameter").inner;
export const derived = (): number[] => {
  const implicit = new Implicit(1);
  return [implicit.length, implicit.extra];
};
