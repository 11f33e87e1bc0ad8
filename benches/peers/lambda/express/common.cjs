// `handler.mjs` as a CommonJS module.
const express = require("express");
const serverless = require("serverless-http");

const app = express();
app.use(express.json());
app.post("/", (request, response) => response.json(request.body));

const serve = serverless(app);

/** Answers its event, which it sends through the application as the body of a request. */
exports.handler = async (event, context) => {
  const request = {
    version: "2.0",
    rawPath: "/",
    rawQueryString: "",
    headers: { "content-type": "application/json" },
    requestContext: { http: { method: "POST", path: "/", sourceIp: "127.0.0.1" } },
    body: JSON.stringify(event),
    isBase64Encoded: false,
  };
  const response = await serve(request, context);
  return JSON.parse(response.body);
};
