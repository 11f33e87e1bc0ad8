// express, cors, helmet, compression, cookie-parser, serverless-http: routes, parameters, JSON, cookies, headers and errors, behind payload format 2.0
const express = require("express");
const serverless = require("serverless-http");
const app = express();
app.use(
  require("helmet")(),
  require("cors")(),
  require("compression")({ threshold: 10 }),
  require("cookie-parser")(),
  express.json(),
);
app.get("/pets/:id", (request, response) =>
  response.json({ id: request.params.id, query: request.query, seen: request.cookies.seen }),
);
app.post("/pets", (request, response) =>
  response.status(201).cookie("last", request.body.name, { httpOnly: true }).json(request.body),
);
app.get("/fail", async () => {
  throw new Error("broken");
});
app.use((error, request, response, next) => response.status(500).json({ error: error.message }));
const wrapped = serverless(app);

const call = (method, path, body, headers = {}) => {
  const [rawPath, rawQueryString = ""] = path.split("?");
  return wrapped(
    {
      version: "2.0",
      rawPath,
      rawQueryString,
      headers: { "content-type": "application/json", ...headers },
      cookies: ["seen=yes"],
      isBase64Encoded: false,
      queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)),
      body: body && JSON.stringify(body),
      requestContext: { http: { method, path: rawPath, sourceIp: "127.0.0.1" }, stage: "$default" },
    },
    {},
  );
};

exports.handler = async () => {
  const read = await call("GET", "/pets/7?colour=red");
  const made = await call("POST", "/pets", { name: "Rex" });
  const failed = await call("GET", "/fail");
  const packed = await call("GET", "/pets/8", undefined, { "accept-encoding": "gzip" });
  const missing = await call("GET", "/nothing");
  return [
    read.statusCode,
    read.body,
    made.statusCode,
    made.body,
    made.cookies,
    failed.body,
    packed.headers["content-encoding"],
    packed.isBase64Encoded,
    missing.statusCode,
    Object.keys(read.headers)
      .filter((name) => name.startsWith("x-"))
      .sort(),
    read.headers["access-control-allow-origin"],
  ];
};
