export const handler = (event, context) => {
  const { callbackWaitsForEmptyEventLoop: _, ...json } = JSON.parse(JSON.stringify(context));
  const copy = { ...context };
  return {
    json,
    spread: typeof copy.getRemainingTimeInMillis(),
    frozen: Object.isFrozen(context.w3c()),
  };
};
