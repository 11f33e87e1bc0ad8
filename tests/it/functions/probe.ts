// What the tests ask of a function, in each language alike: the event's member `do` says what.
// As an HTTP function it takes the same from its query.

interface Context {
  [name: string]: any;
}

type Action = (event: any, context: Context) => unknown;

class OutOfStock extends Error {
  override name = "OutOfStock";
}

let count: number = 0;

const actions: Record<string, Action> = {
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
    let list: unknown[] = [];
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

export const handler = async (event: any, context: Context): Promise<unknown> => {
  const query = event?.queryStringParameters;
  return actions[query?.do ?? event?.do ?? "echo"](query?.do ? { ...event, ...query } : event, context);
};
