// koa, @koa/router, @koa/multer, koa-bodyparser, koa-session, koa-static: middleware, streams as answers
// server: node
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import multer from "@koa/multer";
import Router from "@koa/router";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import session from "koa-session";
import files from "koa-static";

const app = new Koa();
app.keys = ["secret"];
app.silent = true;
const router = new Router();

router.get("/json", (ctx) => {
  ctx.body = { hello: ctx.query.name ?? "world", path: ctx.path, ip: ctx.ip, origin: ctx.hostname };
});

router.post("/upload", multer().single("file"), (ctx) => {
  const { originalname: filename, mimetype: type, size } = ctx.file;
  ctx.body = { title: ctx.request.body.title, filename, type, size };
});

router.get("/login", (ctx) => {
  ctx.session.user = ctx.query.user;
  ctx.body = { ok: true };
});

router.get("/me", (ctx) => {
  ctx.assert(ctx.session.user, 401, "who are you?");
  ctx.body = { user: ctx.session.user };
});

router.get("/stream", (ctx) => {
  async function* rows() {
    for (let number = 0; number < 5; number++) yield `row ${number}\n`;
  }
  ctx.type = "text/plain";
  ctx.body = Readable.from(rows());
});

router.get("/error", () => { throw new Error("an error of the application"); });
router.get("/old", (ctx) => ctx.redirect("/json?name=redirected"));

router.post("/large", async (ctx) => {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of ctx.req) {
    hash.update(piece);
    size += piece.length;
  }
  ctx.body = { size, sha256: hash.digest("hex") };
});

router.post("/items", (ctx) => {
  ctx.assert(ctx.request.body.name, 422, "name is needed");
  ctx.status = 201;
  ctx.body = { name: ctx.request.body.name };
});

app.use(async (ctx, next) => {
  // Static files live below a path of their own.
  if (!ctx.path.startsWith("/static/")) return next();
  ctx.path = ctx.path.slice("/static".length);
  await files(new URL("static", import.meta.url).pathname)(ctx, next);
});
app.use(session({ signed: true }, app));
app.use(bodyParser());
app.use(router.routes());
app.use(router.allowedMethods());
app.listen(Number(process.env.PORT), "127.0.0.1");
