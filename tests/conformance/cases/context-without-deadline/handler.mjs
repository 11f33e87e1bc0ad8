export const handler = (event, context) =>
  context.getRemainingTimeInMillis() === Infinity ? "endless" : "limited";
