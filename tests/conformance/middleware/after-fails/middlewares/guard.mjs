export const after = (response) => {
  if (response.after) {
    throw new RangeError("no exit");
  }
};

export const error = () => {
  console.log("guard error ran");
};
