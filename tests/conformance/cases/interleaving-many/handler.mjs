const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const order = [];

export const handler = async ({ name, ms }, context) => {
  await sleep(ms);
  order.push(name);
  return { id: context.awsRequestId, order: [...order] };
};
