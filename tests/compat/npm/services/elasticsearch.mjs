// @elastic/elasticsearch, @opensearch-project/opensearch: requests to an API of ours, and errors
import { Client } from "@elastic/elasticsearch";
import { Client as OpenSearch } from "@opensearch-project/opensearch";
import http from "node:http";

export const handler = async () => {
  const server = http.createServer((request, response) => {
    response.setHeader("x-elastic-product", "Elasticsearch");
    response.setHeader("content-type", "application/json");
    response.statusCode = request.url.startsWith("/none") ? 404 : 200;
    response.end(JSON.stringify({ hits: { hits: [{ _id: "1" }] }, method: request.method }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const node = `http://127.0.0.1:${server.address().port}`;
  const elastic = new Client({ node, maxRetries: 0 }),
    open = new OpenSearch({ node, maxRetries: 0 });
  const told = [
    (await elastic.search({ index: "i", query: { match_all: {} } })).hits.hits,
    await elastic.get({ index: "none", id: "1" }).catch((error) => error.name),
    (await open.search({ index: "i", body: {} })).body.hits.hits,
  ];
  await Promise.all([elastic.close(), open.close()]);
  server.closeAllConnections();
  server.close();
  return told;
};
