export const handler = async (event, context) => ({
  requestId: context.awsRequestId,
  arn: context.invokedFunctionArn,
  function: [context.functionName, context.functionVersion, context.memoryLimitInMB],
  log: [context.logGroupName, context.logStreamName],
  tenant: context.tenantId,
  trace: context.xRayTraceId,
  client: [
    context.clientContext.custom.a,
    context.clientContext.env.locale,
    context.clientContext.client.app_title,
  ],
  identity: [context.identity.cognitoIdentityId, context.identity.cognitoIdentityPoolId],
  w3c: context.w3c().traceparent,
});
