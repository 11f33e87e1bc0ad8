// @modelcontextprotocol/sdk: a server and a client, in memory and over HTTP
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import http from "node:http";
import { z } from "zod";

const make = () => {
  const server = new McpServer({ name: "s", version: "1" });
  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }) => ({
    content: [{ type: "text", text: `${a + b}` }],
  }));
  server.registerResource("r", "file:///r", {}, async (uri) => ({ contents: [{ uri: uri.href, text: "resource" }] }));
  return server;
};
const use = async (transport) => {
  const client = new Client({ name: "c", version: "1" });
  await client.connect(transport);
  const { tools } = await client.listTools();
  const told = [
    tools.map(({ name }) => name),
    (await client.callTool({ name: "add", arguments: { a: 40, b: 2 } })).content,
    (await client.readResource({ uri: "file:///r" })).contents,
  ];
  await client.close();
  return told;
};

export const handler = async () => {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await make().connect(theirs);
  const inMemory = await use(ours);
  const server = http.createServer(async (request, response) => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await make().connect(transport);
    await transport.handleRequest(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const overHttp = await use(
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${server.address().port}/mcp`)),
  );
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return [inMemory, overHttp];
};
