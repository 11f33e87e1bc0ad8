import "./reflect";
import { Color, Level, Thing, type Shape } from "./types";
import * as all from "./types";

const key = (target: object, name?: string, what = "design:type"): any => (Reflect as any).getMetadata(what, target, name);
const sees = (_target: object, _name?: string, _descriptor?: PropertyDescriptor): void => {};
const made = (_target: Function): void => {};

type Id = string;
type Callback = () => void;
interface Event {
  local: true;
}
enum Local {
  One,
}

class Rows {
  @sees color!: Color;
  @sees level!: Level;
  @sees qualified!: all.Thing;
  @sees inner!: all.Color;
  @sees shape!: Shape;
  @sees shapes!: all.Shape;
  @sees local!: Local;
  @sees maybe!: string | null;
  @sees missing?: number;
  @sees both!: string | undefined | null;
  @sees thing!: Thing | null;
  @sees mixed!: string | number;
  @sees list!: readonly string[];
  @sees tuple!: [string, number];
  @sees id!: Id;
  @sees callback!: Callback;
  @sees event!: Event;
  @sees big!: 10n;
  @sees imported!: import("./types").Thing;
  @sees untyped = 1;

  @sees rest(..._words: string[]): void {}
  @sees things(..._things: Array<Thing>): asserts this is Rows {}
  @sees plain(_a, _b?: number | null): string | null {
    return null;
  }
}

@made
class Overloaded {
  constructor(id: string);
  constructor(_id: any, _thing?: Thing) {}
}

const names = (types: any): any => Array.isArray(types) ? types.map(names) : types?.name ?? String(types);

export const handler = (): unknown => {
  const rows = ["color", "level", "qualified", "inner", "shape", "shapes", "local", "maybe", "missing", "both", "thing", "mixed", "list",
    "tuple", "id", "callback", "event", "big", "imported", "untyped"];
  const of = (name: string, what: string) => names(key(Rows.prototype, name, `design:${what}`));
  return {
    ...Object.fromEntries(rows.map((name) => [name, of(name, "type")])),
    calls: ["rest", "things", "plain"].map((name) => [of(name, "paramtypes"), of(name, "returntype")]),
    overloaded: names(key(Overloaded, undefined, "design:paramtypes")),
  };
};
