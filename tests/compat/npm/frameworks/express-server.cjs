// morgan, body-parser, express-session, express-validator, multer, express-rate-limit: a server that listens, asked with fetch: sessions, uploads, validation, limits
const express = require("express");
const session = require("express-session");
const { body, validationResult } = require("express-validator");
const multer = require("multer");
const { rateLimit } = require("express-rate-limit");
const bodyParser = require("body-parser");

exports.handler = async () => {
  const lines = [];
  const app = express();
  app.use(require("morgan")(":method :url :status", { stream: { write: (line) => lines.push(line.trim()) } }));
  app.use(session({ secret: "s", resave: false, saveUninitialized: true }));
  app.get("/count", (request, response) =>
    response.json({ count: (request.session.count = (request.session.count ?? 0) + 1) }),
  );
  app.post("/upload", multer().single("file"), (request, response) =>
    response.json({ name: request.file.originalname, size: request.file.size, field: request.body.field }),
  );
  app.post("/valid", bodyParser.urlencoded({ extended: true }), body("email").isEmail(), (request, response) =>
    response.json({ valid: validationResult(request).isEmpty(), nested: request.body.a }),
  );
  app.get("/limited", rateLimit({ windowMs: 60000, limit: 2 }), (request, response) => response.send("ok"));
  const server = await new Promise((resolve) => {
    const it = app.listen(0, "127.0.0.1", () => resolve(it));
  });
  const base = `http://127.0.0.1:${server.address().port}`;
  const first = await fetch(`${base}/count`);
  const cookie = first.headers.get("set-cookie").split(";")[0];
  const second = await (await fetch(`${base}/count`, { headers: { cookie } })).json();
  const form = new FormData();
  form.set("file", new Blob(["content"]), "a.txt");
  form.set("field", "value");
  const uploaded = await (await fetch(`${base}/upload`, { method: "POST", body: form })).json();
  const valid = await (
    await fetch(`${base}/valid`, { method: "POST", body: new URLSearchParams({ email: "no", "a[b]": "c" }) })
  ).json();
  const limited = [];
  for (let n = 0; n < 3; n++) limited.push((await fetch(`${base}/limited`)).status);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return [await first.json(), second, uploaded, valid, limited, lines];
};
