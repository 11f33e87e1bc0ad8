export const init = () => {
  throw new RangeError("no start");
};
