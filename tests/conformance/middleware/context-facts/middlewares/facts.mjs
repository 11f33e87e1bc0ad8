export const before = (_event, context) => ({
  id: context.awsRequestId,
  name: context.functionName,
  late: context.getRemainingTimeInMillis() > 0,
});
