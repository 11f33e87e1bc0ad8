// msw: intercepts fetch
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

export const handler = async () => {
  const server = setupServer(http.get("http://mocked.test/:id", ({ params }) => HttpResponse.json({ id: params.id })));
  server.listen();
  try {
    return await (await fetch("http://mocked.test/7")).json();
  } finally {
    server.close();
  }
};
