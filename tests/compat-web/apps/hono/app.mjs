// hono, zod: fetch with requests and responses of the web, validation, signed cookies, streams as answers
// server: fetch
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Hono } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { stream } from "hono/streaming";
import { validator } from "hono/validator";
import { z } from "zod";

const app = new Hono();
const Item = z.object({ name: z.string().min(1), price: z.number().optional() });

app.get("/json", (c) => c.json({ hello: c.req.query("name") ?? "world", path: c.req.path }));

app.post("/upload", async (c) => {
  const { title, file } = await c.req.parseBody();
  return c.json({ title, filename: file.name, type: file.type, size: file.size });
});

app.get("/login", async (c) => {
  await setSignedCookie(c, "user", c.req.query("user"), "secret");
  return c.json({ ok: true });
});

app.get("/me", async (c) => {
  const user = await getSignedCookie(c, "secret", "user");
  if (!user) throw new HTTPException(401, { message: "who are you?" });
  return c.json({ user });
});

app.get("/stream", (c) => {
  c.header("content-type", "text/plain");
  return stream(c, async (out) => {
    for (let number = 0; number < 5; number++) {
      await out.write(`row ${number}\n`);
      await out.sleep(5);
    }
  });
});

app.get("/error", () => { throw new Error("an error of the application"); });
app.get("/old", (c) => c.redirect("/json?name=redirected"));

app.post("/large", async (c) => {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of c.req.raw.body) {
    hash.update(piece);
    size += piece.length;
  }
  return c.json({ size, sha256: hash.digest("hex") });
});

const checked = validator("json", (value, c) => {
  const parsed = Item.safeParse(value);
  return parsed.success ? parsed.data : c.json({ issues: parsed.error.issues }, 422);
});

app.post("/items", checked, (c) => c.json(c.req.valid("json"), 201));

app.get("/static/:name", async (c) => {
  const text = await readFile(new URL(`static/${c.req.param("name")}`, import.meta.url)).catch(() => null);
  if (text === null) return c.notFound();
  return c.body(text, 200, { "content-type": "text/css; charset=utf-8" });
});

export default app;
