export const handler = (event) => {
  const held = [];
  while (event === "fill") {
    held.push({ number: held.length });
  }
  return event;
};
