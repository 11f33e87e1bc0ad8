// @middy/core, @middy/http-json-body-parser, @middy/http-error-handler, @middy/http-cors, @middy/validator, @middy/http-header-normalizer, @middy/event-normalizer: a stack of middlewares around an HTTP handler
import middy from "@middy/core";
import jsonBodyParser from "@middy/http-json-body-parser";
import errors from "@middy/http-error-handler";
import cors from "@middy/http-cors";
import validator from "@middy/validator";
import { transpileSchema } from "@middy/validator/transpile";
import headers from "@middy/http-header-normalizer";
import normalizer from "@middy/event-normalizer";

const schema = transpileSchema({
  type: "object",
  required: ["body"],
  properties: { body: { type: "object", required: ["name"], properties: { name: { type: "string" } } } },
});
const wrapped = middy()
  .use(normalizer())
  .use(headers())
  .use(jsonBodyParser())
  .use(validator({ eventSchema: schema }))
  .use(cors({ origin: "https://a.test" }))
  .use(errors({ logger: false }))
  .handler(async (event) => ({
    statusCode: 200,
    body: JSON.stringify({ name: event.body.name, agent: event.headers["user-agent"] }),
  }));

export const handler = async (event, context) => {
  const ask = (body) =>
    wrapped(
      {
        version: "2.0",
        rawPath: "/",
        requestContext: { http: { method: "POST" } },
        headers: { "Content-Type": "application/json", "User-Agent": "x", Origin: "https://a.test" },
        body,
      },
      context,
    );
  return [await ask('{"name":"Rex"}'), await ask("{}"), await ask("{")];
};
