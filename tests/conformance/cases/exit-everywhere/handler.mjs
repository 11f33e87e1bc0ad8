const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  if (event === "later") {
    setTimeout(() => process.exit(5), 1);
    await sleep(1000);
  }
  if (event === "caught") {
    try {
      process.exit(6);
    } catch {
      return "not even an exception";
    } finally {
      await sleep(1);
    }
  }
  return event;
};
