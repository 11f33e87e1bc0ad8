// lambda-api: routes, parameters, errors behind payload format 2.0
const api = require("lambda-api")();
api.get("/pets/:id", async (request, response) => ({ id: request.params.id, q: request.query.q }));
api.post("/pets", async (request, response) => response.status(201).cookie("a", "b").json(request.body));

exports.handler = async (event, context) => {
  const ask = (method, path, body) =>
    api.run(
      {
        version: "2.0",
        rawPath: path,
        rawQueryString: "q=1",
        queryStringParameters: { q: "1" },
        headers: { "content-type": "application/json" },
        body,
        requestContext: { http: { method, path } },
      },
      context,
    );
  const [read, made, missing] = [
    await ask("GET", "/pets/7"),
    await ask("POST", "/pets", '{"n":1}'),
    await ask("GET", "/nothing"),
  ];
  return [read.statusCode, read.body, made.statusCode, made.body, missing.statusCode];
};
