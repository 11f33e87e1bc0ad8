export const handler = (event: string): Promise<void> => {
  if (event === "symbol") {
    throw Symbol("s");
  }
  if (event === "sync") {
    throw undefined;
  }
  return Promise.reject();
};
