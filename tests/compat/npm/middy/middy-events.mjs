// @middy/sqs-partial-batch-failure, @middy/http-router, @middy/input-output-logger: batches of which some fail, routes, logs
import middy from "@middy/core";
import partial from "@middy/sqs-partial-batch-failure";
import router from "@middy/http-router";
import io from "@middy/input-output-logger";

const batch = middy()
  .use(partial({ logger: false }))
  .handler((event) =>
    Promise.allSettled(
      event.Records.map(async (record) => {
        if (record.body === "bad") throw new Error("bad");
        return record.body;
      }),
    ),
  );
const routed = middy().handler(
  router([
    {
      method: "GET",
      path: "/pets/{id}",
      handler: async (event) => ({ statusCode: 200, body: event.pathParameters.id }),
    },
  ]),
);

export const handler = async (event, context) => {
  const logged = [];
  const logging = middy()
    .use(io({ logger: (message) => logged.push(message), omitPaths: ["event.secret"] }))
    .handler(async () => ({ done: true }));
  await logging({ secret: 1, open: 2 }, context);
  const failures = await batch(
    {
      Records: [
        { messageId: "1", body: "good", eventSource: "aws:sqs" },
        { messageId: "2", body: "bad", eventSource: "aws:sqs" },
      ],
    },
    context,
  );
  const reply = await routed(
    { version: "2.0", requestContext: { http: { method: "GET", path: "/pets/7" } }, rawPath: "/pets/7" },
    context,
  );
  return [failures, reply, logged.map(({ event, response }) => ({ event, response }))];
};
