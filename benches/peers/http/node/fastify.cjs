// Answers JSON with the same JSON: Fastify parses the body, and writes what a handler returns. `fastify.cjs PORT`.

const app = require("fastify")();

app.post("/", async (request) => request.body);

app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
