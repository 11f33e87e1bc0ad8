const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  if (event === "throw") {
    setTimeout(() => {
      throw new Error("in a timer");
    }, 1);
  }
  await sleep(20);
  return event;
};
