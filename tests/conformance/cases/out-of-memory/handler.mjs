export const handler = (event) => {
  const held = [];
  while (event === "fill") {
    held.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
  }
  return event;
};
