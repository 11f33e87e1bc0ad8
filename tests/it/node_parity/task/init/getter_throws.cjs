Object.defineProperty(exports, "handler", {
  enumerable: true,
  get() {
    throw new RangeError("no handler today");
  },
});
