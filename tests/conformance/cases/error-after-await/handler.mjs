const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const late = async (ms) => {
  await sleep(ms);
  throw new Error("too late");
};

export const handler = async ({ ms }) => (ms === undefined ? "in time" : await late(ms));
