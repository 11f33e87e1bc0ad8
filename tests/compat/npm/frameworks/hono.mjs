// hono: routes, validation, middlewares, streaming, its adapter for Lambda
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { cors } from "hono/cors";
import { sign } from "hono/jwt";
import { jwt } from "hono/jwt";
import { streamText } from "hono/streaming";

const app = new Hono();
app.use(cors());
app.get("/pets/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") }));
app.get("/stream", (c) =>
  streamText(c, async (stream) => {
    await stream.write("a");
    await stream.write("b");
  }),
);
app.use("/secret/*", jwt({ secret: "s", alg: "HS256" }));
app.get("/secret/it", (c) => c.json(c.get("jwtPayload")));
app.onError((error, c) => c.text(error.message, error.status ?? 500));
const proxy = handle(app);

export const handler = async (event, context) => {
  const ask = (path, headers = {}) =>
    proxy(
      {
        version: "2.0",
        rawPath: path,
        rawQueryString: "q=1",
        headers: { host: "h", ...headers },
        requestContext: { domainName: "h", http: { method: "GET", path } },
      },
      context,
    );
  const token = await sign({ sub: "me" }, "s", "HS256");
  const replies = [
    await ask("/pets/7"),
    await ask("/stream"),
    await ask("/secret/it"),
    await ask("/secret/it", { authorization: `Bearer ${token}` }),
  ];
  return replies.map((reply) => [reply.statusCode, reply.body]);
};
