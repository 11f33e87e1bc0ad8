// @aws-lambda-powertools/event-handler: routes, middlewares and errors of its HTTP router
import { Router, NotFoundError } from "@aws-lambda-powertools/event-handler/http";

const app = new Router();
app.use(async ({ reqCtx, next }) => {
  await next();
  reqCtx.res.headers.set("x-mark", "yes");
});
app.get("/pets/:id", async ({ params }) => ({ id: params.id }));
app.post("/pets", async ({ req }) => ({ made: await req.json() }));
app.get("/gone", async () => {
  throw new NotFoundError("gone");
});

export const handler = async (event, context) => {
  const ask = async (method, path, body) => {
    const reply = await app.resolve(
      {
        version: "2.0",
        routeKey: "$default",
        rawPath: path,
        rawQueryString: "",
        headers: { "content-type": "application/json" },
        body,
        isBase64Encoded: false,
        requestContext: {
          accountId: "1",
          apiId: "a",
          domainName: "h.test",
          domainPrefix: "h",
          http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "u" },
          requestId: "r",
          routeKey: "$default",
          stage: "$default",
          time: "t",
          timeEpoch: 1,
        },
      },
      context,
    );
    return [reply.statusCode, reply.body, reply.headers?.["x-mark"]];
  };
  return [await ask("GET", "/pets/7"), await ask("POST", "/pets", '{"n":1}'), (await ask("GET", "/gone"))[0]];
};
