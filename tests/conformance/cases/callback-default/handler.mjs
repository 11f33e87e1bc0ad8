export const handler = async (event, context) => {
  const before = context.callbackWaitsForEmptyEventLoop;
  context.callbackWaitsForEmptyEventLoop = false;
  return { before, after: context.callbackWaitsForEmptyEventLoop };
};
