// polka: a server that listens
import polka from "polka";

export const handler = async () => {
  const app = polka()
    .use((request, response, next) => {
      request.seen = true;
      next();
    })
    .get("/pets/:id", (request, response) => response.end(JSON.stringify([request.params.id, request.seen])));
  await new Promise((resolve) => app.listen(0, "127.0.0.1", resolve));
  const told = await (await fetch(`http://127.0.0.1:${app.server.address().port}/pets/7`)).json();
  app.server.closeAllConnections();
  app.server.close();
  return told;
};
