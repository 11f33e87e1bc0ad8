exports.handler = async (event) => {
  const held = [];
  while (event === "fill") {
    held.push(Buffer.alloc(1_000_000));
    await null;
  }
  return event;
};
