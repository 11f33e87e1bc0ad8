export const handler = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = event.waits;
  const answer = { afterwards: false };
  setTimeout(() => {
    answer.afterwards = true;
  }, 20);
  callback(null, answer);
};
