export const handler = (event) => {
  if (event === null) {
    return "null";
  }
  return Array.isArray(event) ? "array" : typeof event;
};
