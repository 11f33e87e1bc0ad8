// @hapi/hapi: routes, validation, injection, a server that listens
const Hapi = require("@hapi/hapi");

exports.handler = async () => {
  const server = Hapi.server({ port: 0, host: "127.0.0.1" });
  server.route({ method: "GET", path: "/pets/{id}", handler: (request) => ({ id: request.params.id }) });
  server.route({
    method: "POST",
    path: "/pets",
    handler: (request, h) => h.response(request.payload).code(201).state("last", "Rex"),
  });
  const injected = await server.inject("/pets/7");
  await server.start();
  const made = await fetch(`${server.info.uri}/pets`, {
    method: "POST",
    body: '{"n":1}',
    headers: { "content-type": "application/json" },
  });
  const told = [injected.result, made.status, made.headers.getSetCookie(), await made.json()];
  await server.stop({ timeout: 100 });
  return told;
};
