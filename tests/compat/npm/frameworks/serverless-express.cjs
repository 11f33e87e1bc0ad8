// @codegenie/serverless-express: an Express application behind payload format 1.0
const serverless = require("@codegenie/serverless-express");
const express = require("express");
const app = express();
app.use(express.json());
app.all("/{*path}", (request, response) =>
  response.json({ method: request.method, path: request.path, query: request.query, body: request.body }),
);
const handle = serverless({ app });

exports.handler = async (event, context) => {
  const request = {
    resource: "/{proxy+}",
    httpMethod: "POST",
    path: "/a/b",
    headers: { "Content-Type": "application/json" },
    multiValueHeaders: { "Content-Type": ["application/json"] },
    queryStringParameters: { q: "1" },
    multiValueQueryStringParameters: { q: ["1"] },
    body: '{"n":1}',
    isBase64Encoded: false,
    requestContext: { httpMethod: "POST", stage: "prod", path: "/a/b" },
  };
  const reply = await handle(request, context);
  return [reply.statusCode, reply.body];
};
