export const shutdown = () => {
  console.log("second ended");
  throw new Error("no end");
};
