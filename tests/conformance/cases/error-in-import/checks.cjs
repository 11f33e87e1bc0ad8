exports.check = (number) => {
  if (number < 0) {
    throw new RangeError("negative");
  }
  return number;
};
