export const handler = async (event) => {
  if (event) {
    const { next } = await import("./counter.mjs");
    return next();
  }
};
