export const error = () => {
  throw new RangeError("worse luck");
};
