// Notes, with Express. `app.listen` stays where it is: here it hands the application over, under node it opens a port.
import express from "express";

const app = express();
const notes = new Map();

app.use(express.json());

app.get("/", (req, res) => {
  res.json({ message: `Hello, ${req.query.name ?? "world"}!` });
});

app.post("/notes", (req, res) => {
  const { title, done = false } = req.body ?? {};
  if (typeof title !== "string") return res.status(422).json({ error: "a note needs a title" });
  const id = notes.size + 1;
  notes.set(id, { title, done });
  res.status(201).json({ id });
});

app.get("/notes/:id", (req, res) => {
  const note = notes.get(Number(req.params.id));
  if (!note) return res.status(404).json({ error: "there is no such note" });
  res.json(note);
});

app.get("/countdown", async (req, res) => {
  res.type("text/plain");
  for (let left = 3; left > 0; left--) {
    res.write(`${left}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  res.end("lift-off\n");
});

app.listen(process.env.PORT ?? 3000);
