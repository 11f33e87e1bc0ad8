const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async ({ ms }) => {
  const start = performance.now();
  await sleep(ms);
  return { waited: performance.now() - start >= ms - 1 };
};
