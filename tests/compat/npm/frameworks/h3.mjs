// h3: routes and errors as a fetch handler
import { H3, HTTPError } from "h3";

export const handler = async () => {
  const app = new H3();
  app.get("/pets/:id", (event) => ({ id: event.context.params.id }));
  app.post("/pets", async (event) => {
    event.res.status = 201;
    return await event.req.json();
  });
  app.get("/fail", () => {
    throw new HTTPError({ status: 418, message: "teapot" });
  });
  const ask = async (path, init) => {
    const reply = await app.fetch(new Request(`http://h${path}`, init));
    return [reply.status, await reply.json()];
  };
  const [status, failed] = await ask("/fail");
  return [await ask("/pets/7"), await ask("/pets", { method: "POST", body: '{"n":1}' }), status, failed.message];
};
