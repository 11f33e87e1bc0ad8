export const handler = (event) => {
  if (event === "symbol") {
    throw Symbol("s");
  }
  if (event === "sync") {
    throw undefined;
  }
  return Promise.reject();
};
