// fastify, @fastify/aws-lambda, @fastify/multipart: schemas, hooks, plugins and uploads, injected, listening and behind payload format 2.0
import fastify from "fastify";
import awsLambda from "@fastify/aws-lambda";
import multipart from "@fastify/multipart";

const app = fastify();
app.register(multipart);
app.addHook("onSend", async (request, reply) => {
  reply.header("x-hook", "yes");
});
app.post(
  "/pets",
  { schema: { body: { type: "object", required: ["name"], properties: { name: { type: "string" } } } } },
  async (request, reply) => reply.code(201).send(request.body),
);
app.get("/pets/:id", async (request) => ({ id: request.params.id }));
app.post("/upload", async (request) => {
  const file = await request.file();
  return { name: file.filename, size: (await file.toBuffer()).length };
});
const proxy = awsLambda(app);

export const handler = async (event, context) => {
  const made = await app.inject({ method: "POST", url: "/pets", payload: { name: "Rex" } });
  const refused = await app.inject({ method: "POST", url: "/pets", payload: {} });
  const base = await (app.server.listening
    ? `http://127.0.0.1:${app.server.address().port}`
    : app.listen({ port: 0, host: "127.0.0.1" }));
  const form = new FormData();
  form.set("file", new Blob(["content"]), "a.txt");
  const uploaded = await (await fetch(`${base}/upload`, { method: "POST", body: form })).json();
  const request = {
    version: "2.0",
    rawPath: "/pets/7",
    rawQueryString: "",
    headers: {},
    requestContext: { http: { method: "GET", path: "/pets/7" } },
  };
  const proxied = await proxy(request, context);
  return [
    made.statusCode,
    made.json(),
    refused.json(),
    uploaded,
    proxied.statusCode,
    proxied.body,
    proxied.headers["x-hook"],
  ];
};
