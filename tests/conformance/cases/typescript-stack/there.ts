export interface Unused {
  a: string;
  b: string;
}

export function there(): never {
  throw new RangeError("there");
}
