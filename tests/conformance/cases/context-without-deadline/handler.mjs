export const handler = (event, context) => context.getRemainingTimeInMillis();
