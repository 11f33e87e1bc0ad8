// koa, @koa/router, koa-bodyparser: routes, bodies, errors, a stream as a body
import Koa from "koa";
import Router from "@koa/router";
import bodyParser from "koa-bodyparser";
import { Readable } from "node:stream";

export const handler = async () => {
  const app = new Koa();
  const router = new Router();
  router.get("/pets/:id", (ctx) => {
    ctx.body = { id: ctx.params.id, query: { ...ctx.query } };
  });
  router.post("/pets", (ctx) => {
    ctx.status = 201;
    ctx.cookies.set("last", ctx.request.body.name);
    ctx.body = ctx.request.body;
  });
  router.get("/stream", (ctx) => {
    ctx.body = Readable.from(["a", "b", "c"]);
  });
  router.get("/fail", (ctx) => ctx.throw(418, "teapot"));
  app.use(bodyParser()).use(router.routes());
  app.silent = true;
  const server = await new Promise((resolve) => {
    const it = app.listen(0, "127.0.0.1", () => resolve(it));
  });
  const base = `http://127.0.0.1:${server.address().port}`;
  const told = [await (await fetch(`${base}/pets/7?a=b`)).json()];
  const made = await fetch(`${base}/pets`, {
    method: "POST",
    body: '{"name":"Rex"}',
    headers: { "content-type": "application/json" },
  });
  told.push(
    made.status,
    made.headers.getSetCookie(),
    await made.json(),
    await (await fetch(`${base}/stream`)).text(),
    (await fetch(`${base}/fail`)).status,
  );
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return told;
};
