// fastify, @fastify/cookie, @fastify/session, @fastify/multipart, @fastify/static: schemas, plug-ins, streams as answers
// server: node
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import cookie from "@fastify/cookie";
import multipart from "@fastify/multipart";
import session from "@fastify/session";
import files from "@fastify/static";
import fastify from "fastify";

const app = fastify({ bodyLimit: 1 << 24 });
await app.register(cookie);
await app.register(session, { secret: "a secret of thirty-two letters at least", cookie: { secure: false } });
await app.register(multipart);
await app.register(files, { root: new URL("static", import.meta.url).pathname, prefix: "/static/" });
app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (request, body, done) => done(null, body));

const greeting = {
  querystring: { type: "object", properties: { name: { type: "string", default: "world" } } },
  response: { 200: { type: "object", properties: { hello: { type: "string" }, ip: { type: "string" } } } },
};

app.get("/json", { schema: greeting }, async (request) => ({ hello: request.query.name, ip: request.ip, hidden: 1 }));

app.post("/upload", async (request) => {
  const told = {};
  for await (const part of request.parts()) {
    if (part.type === "field") told[part.fieldname] = part.value;
    else Object.assign(told, { filename: part.filename, type: part.mimetype, size: (await part.toBuffer()).length });
  }
  return told;
});

app.get("/login", async (request) => {
  request.session.user = request.query.user;
  return { ok: true };
});

app.get("/me", async (request, reply) => {
  if (!request.session.user) return reply.code(401).send("who are you?");
  return { user: request.session.user };
});

app.get("/stream", async (request, reply) => {
  async function* rows() {
    for (let number = 0; number < 5; number++) yield `row ${number}\n`;
  }
  return reply.type("text/plain").send(Readable.from(rows()));
});

app.get("/error", async () => { throw new Error("an error of the application"); });
app.get("/old", async (request, reply) => reply.redirect("/json?name=redirected"));

app.post("/large", async (request) => {
  return { size: request.body.length, sha256: createHash("sha256").update(request.body).digest("hex") };
});

const item = {
  body: {
    type: "object",
    required: ["name"],
    properties: { name: { type: "string", minLength: 1 }, price: { type: "number" } },
  },
};

app.post("/items", { schema: item }, async (request, reply) => reply.code(201).send(request.body));

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
