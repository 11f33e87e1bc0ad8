// polka, sirv: the smallest of them, and static files
// server: node
import { createHash } from "node:crypto";
import polka from "polka";
import sirv from "sirv";

const send = (res, status, value) => {
  const text = JSON.stringify(value);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
};

const read = async (req) => Buffer.concat(await Array.fromAsync(req));
const cookies = (req) => new Map((req.headers.cookie ?? "").split("; ").map((pair) => pair.split("=")));

const app = polka({
  onError(error, req, res) { send(res, 500, { error: error.message }); },
  onNoMatch(req, res) { send(res, 404, { error: `nothing at ${req.path}` }); },
});
// With a middleware of its own, handlers are given `next`.
app.use((req, res, next) => next());
app.use("/static", sirv(new URL("static", import.meta.url).pathname));

app.get("/json", (req, res) => send(res, 200, { hello: req.query.name ?? "world", path: req.path }));

app.post("/upload", async (req, res) => {
  const form = await new Response(await read(req), { headers: req.headers }).formData();
  const file = form.get("file");
  send(res, 200, { title: form.get("title"), filename: file.name, type: file.type, size: file.size });
});

app.get("/login", (req, res) => {
  res.setHeader("set-cookie", [`user=${req.query.user}; HttpOnly`, "seen=yes"]);
  send(res, 200, { ok: true });
});

app.get("/me", (req, res) => {
  const user = cookies(req).get("user");
  send(res, user ? 200 : 401, user ? { user } : { error: "who are you?" });
});

app.get("/stream", (req, res) => {
  res.setHeader("content-type", "text/plain");
  let number = 0;
  const timer = setInterval(() => {
    res.write(`row ${number++}\n`);
    if (number < 5) return;
    clearInterval(timer);
    res.end();
  }, 2);
});

// What a handler throws would end the process: Polka leaves that to Node.js.
app.get("/error", (req, res, next) => next(new Error("an error of the application")));

app.get("/old", (req, res) => {
  res.statusCode = 302;
  res.setHeader("location", "/json?name=redirected");
  res.end();
});

app.post("/large", async (req, res) => {
  const body = await read(req);
  send(res, 200, { size: body.length, sha256: createHash("sha256").update(body).digest("hex") });
});

app.post("/items", async (req, res) => {
  const item = JSON.parse(await read(req));
  send(res, item.name ? 201 : 422, item.name ? { name: item.name } : { error: "name is needed" });
});

app.listen(Number(process.env.PORT), "127.0.0.1");
