// express, multer, express-session, connect-redis, redis: uploads in memory, sessions in Redis
// server: node
// needs: redis
import { createHash } from "node:crypto";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import multer from "multer";
import { createClient } from "redis";

const redis = await createClient({ url: process.env.REDIS_URL }).connect();
const upload = multer({ storage: multer.memoryStorage() });
const app = express();
app.use("/static", express.static(new URL("static", import.meta.url).pathname));
app.use(session({ store: new RedisStore({ client: redis }), secret: "secret", resave: false, saveUninitialized: false }));

app.get("/json", (req, res) => {
  res.json({ hello: req.query.name ?? "world", path: req.path, ip: req.ip, protocol: req.protocol, host: req.hostname });
});

app.post("/upload", upload.single("file"), (req, res) => {
  const { originalname: filename, mimetype: type, size } = req.file;
  res.json({ title: req.body.title, filename, type, size });
});

app.get("/login", (req, res) => {
  req.session.user = req.query.user;
  res.json({ ok: true });
});

app.get("/me", (req, res) => {
  if (!req.session.user) return res.status(401).send("who are you?");
  res.json({ user: req.session.user });
});

app.get("/stream", async (req, res) => {
  res.type("text/plain");
  for (let number = 0; number < 5; number++) {
    res.write(`row ${number}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  res.end();
});

app.get("/error", () => { throw new Error("an error of the application"); });
app.get("/old", (req, res) => res.redirect("/json?name=redirected"));

app.post("/large", express.raw({ type: "*/*", limit: "16mb" }), (req, res) => {
  res.json({ size: req.body.length, sha256: createHash("sha256").update(req.body).digest("hex") });
});

app.post("/items", express.json(), (req, res) => {
  if (!req.body.name) return res.status(422).json({ error: "name is needed" });
  res.status(201).json({ name: req.body.name });
});

app.get("/file", (req, res) => res.sendFile("style.css", { root: new URL("static", import.meta.url).pathname }));

app.listen(Number(process.env.PORT), "127.0.0.1");
