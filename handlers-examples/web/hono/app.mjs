// Notes, with Hono: a module whose default export has `fetch`.
import { Hono } from "hono";
import { streamText } from "hono/streaming";

const app = new Hono();
const notes = new Map();

app.get("/", (c) => c.json({ message: `Hello, ${c.req.query("name") ?? "world"}!` }));

app.post("/notes", async (c) => {
  const { title, done = false } = await c.req.json();
  if (typeof title !== "string") return c.json({ error: "a note needs a title" }, 422);
  const id = notes.size + 1;
  notes.set(id, { title, done });
  return c.json({ id }, 201);
});

app.get("/notes/:id{[0-9]+}", (c) => {
  const note = notes.get(Number(c.req.param("id")));
  return note ? c.json(note) : c.json({ error: "there is no such note" }, 404);
});

app.get("/countdown", (c) => streamText(c, async (stream) => {
  for (let left = 3; left > 0; left--) {
    await stream.writeln(String(left));
    await stream.sleep(100);
  }
  await stream.writeln("lift-off");
}));

export default app;
