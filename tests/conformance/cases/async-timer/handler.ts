const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async ({ ms }: { ms: number }): Promise<{ waited: boolean }> => {
  const start = performance.now();
  await sleep(ms);
  return { waited: performance.now() - start >= ms - 1 };
};
