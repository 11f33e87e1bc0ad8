import { Readable } from "node:stream";

class Store {
  status = 1;
  next() {}
  getReader() {}
}

class Cursor {
  async *[Symbol.asyncIterator]() {}
  toJSON() {
    return "json";
  }
}

const answers = {
  stream: () => ReadableStream.from(["a", "b"]),
  node: async () => Readable.from(["a", "b"]),
  *generator() {
    yield null;
    yield Promise.resolve({ a: [1] });
  },
  iterator: () => [1, 2].values().map((number) => number * 2),
  own: () => ({
    async *[Symbol.asyncIterator]() {
      yield "own";
    },
  }),
  async *undefined() {
    yield "a";
    yield undefined;
  },
  lookalike: () => ({ status: 200, headers: { forEach() {} }, body: "x", [Symbol.toStringTag]: "Response" }),
  array: () => [1, 2],
  map: () => new Map([[1, 2]]),
  json: () => new Cursor(),
  class: () => new Store(),
};

export const handler = (event) => answers[event]();
