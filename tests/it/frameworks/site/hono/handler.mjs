import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { setCookie } from 'hono/cookie';

const app = new Hono();
app.get('/pets/:id', async (c) => {
  await new Promise((done) => setTimeout(done, 5));
  return c.json({ framework: 'hono', id: c.req.param('id'), colour: c.req.query('colour') });
});
app.post('/pets', async (c) => {
  const { name } = await c.req.json();
  setCookie(c, 'last', name);
  return c.json({ framework: 'hono', added: name }, 201);
});

export const handler = handle(app);
