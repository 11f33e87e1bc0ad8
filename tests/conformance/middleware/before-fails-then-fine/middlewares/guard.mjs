export const before = (event) => {
  if (event.before) {
    throw new RangeError("no entry");
  }
};
