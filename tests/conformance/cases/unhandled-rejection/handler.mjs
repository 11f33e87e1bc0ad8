const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  if (event === "reject") {
    Promise.reject(new Error("nobody listens"));
  }
  if (event === "handled") {
    Promise.reject(new Error("somebody listens")).catch(() => {});
  }
  await sleep(10);
  return event;
};
