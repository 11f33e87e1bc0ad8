const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  const order = [];
  const results = await Promise.all(
    event.map(async (number) => {
      await sleep(number * 100);
      order.push(number);
      return number * 2;
    }),
  );
  return { results, order };
};
