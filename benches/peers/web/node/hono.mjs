// A Hono endpoint that takes JSON and answers it.
import { Hono } from "hono";

const app = new Hono();
app.post("/", async (c) => c.json(await c.req.json()));

export default app;
