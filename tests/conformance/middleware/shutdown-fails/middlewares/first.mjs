export const shutdown = () => {
  console.log("first ended");
  throw new Error("no end");
};
