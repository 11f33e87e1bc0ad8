export const before = (event) => {
  if (event.clear) {
    return null;
  }
  return undefined;
};
