// Answers JSON with the same JSON, parsed and written again, with nothing but what Node.js brings. `http.mjs PORT`.

import { createServer } from "node:http";

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const answer = Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(chunks))));
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1");
