import { Buffer } from "node:buffer";

class Point {
  #hidden = 2;
  x = 1;

  get hidden() {
    return this.#hidden;
  }
}

const results = {
  bigint: { n: 1n },
  symbol: Symbol("s"),
  nan: NaN,
  infinity: [Infinity, -Infinity],
  date: new Date(Date.UTC(2026, 0, 31)),
  map: new Map([["a", 1]]),
  class: new Point(),
  toJSON: { toJSON: () => "custom" },
  getter: {
    get broken() {
      throw new Error("no getter today");
    },
  },
  // deno-lint-ignore no-sparse-arrays
  hole: [1, , 3],
  buffer: Buffer.from([1, 2]),
  typed: new Uint8Array([1, 2]),
  surrogate: "\ud800",
};

export const handler = (event) => results[event];
