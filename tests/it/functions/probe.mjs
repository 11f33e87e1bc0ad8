// What the tests ask of a function, in each language alike: the event's member `do` says what.
// As an HTTP function it takes the same from its query.

class OutOfStock extends Error {
  name = "OutOfStock";
}

let count = 0;

const actions = {
  echo: (event) => event,
  count: () => ++count,
  trace: () => process.env._X_AMZN_TRACE_ID ?? null,
  context: (_, context) => ({
    id: context.awsRequestId,
    arn: context.invokedFunctionArn,
    name: context.functionName,
    version: context.functionVersion,
    memory: context.memoryLimitInMB,
    group: context.logGroupName,
    stream: context.logStreamName,
    tenant: context.tenantId ?? null,
    custom: context.clientContext?.custom ?? null,
    w3c: context.w3c(),
    identity: context.identity?.cognitoIdentityId ?? null,
    remaining: context.getRemainingTimeInMillis(),
  }),
  fail: () => {
    throw new OutOfStock("no anvil left"); // here
  },
  exit: ({ status }) => process.exit(status),
  repeat: ({ text, count }) => text.repeat(count),
  nest: ({ levels }) => {
    let list = [];
    for (let level = 1; level < levels; level++) list = [list];
    return list;
  },
  impossible: () => 10n,
  log: ({ text }) => void console.log(text),
  wait: async ({ ms, note }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return note ?? null;
  },
  mirror: (event) => ({
    statusCode: 201,
    headers: {
      "content-type": event.headers["content-type"] ?? "text/plain",
      "x-method": event.requestContext.http.method,
      "x-path": event.rawPath,
    },
    cookies: event.cookies ?? [],
    body: event.body ?? "",
    isBase64Encoded: event.isBase64Encoded,
  }),
};

export const handler = async (event, context) => {
  const query = event?.queryStringParameters;
  return actions[query?.do ?? event?.do ?? "echo"](query?.do ? { ...event, ...query } : event, context);
};
