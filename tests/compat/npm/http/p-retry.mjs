// p-retry, async-retry: repeat what fails
import pRetry from "p-retry";
import retry from "async-retry";

export const handler = async () => {
  let first = 0,
    second = 0;
  const a = await pRetry(
    async () => {
      if (++first < 3) throw new Error("again");
      return first;
    },
    { retries: 5, minTimeout: 5 },
  );
  const b = await retry(
    async () => {
      if (++second < 2) throw new Error("again");
      return second;
    },
    { minTimeout: 5 },
  );
  return [a, b];
};
