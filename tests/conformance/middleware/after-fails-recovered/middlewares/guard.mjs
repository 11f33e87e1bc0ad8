export const after = (response) => {
  if (response.after) {
    throw new RangeError("no entry");
  }
};
