// Waits for several things at once, as for answers of several services, and tells the order in which they came.
// The results stand in the order in which the waits were started.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  const finished = [];
  const wait = async ({ name, ms }) => {
    await sleep(ms);
    finished.push(name);
    return ms;
  };
  const results = await Promise.all((event.waits ?? []).map(wait));
  return { finished, results };
};
