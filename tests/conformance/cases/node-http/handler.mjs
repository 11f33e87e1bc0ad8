import { once } from "node:events";
import http from "node:http";

const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
  }
  response.writeHead(201, { "content-type": "text/plain" }).end(`echo ${body}`);
});

function request(port, body) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, method: "POST" }, async (response) => {
      let text = "";
      for await (const chunk of response) {
        text += chunk;
      }
      resolve(text);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export const handler = async (event) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: event });
  const fetched = await response.text();
  const requested = await request(port, event);
  server.closeAllConnections?.();
  server.close();
  return { fetched, requested, status: response.status };
};
