// @aws-sdk/client-bedrock-runtime: a model's answer, and a signed request that a server of ours has seen
import { BedrockRuntimeClient, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";
import http from "node:http";

export const handler = async () => {
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push([request.method, request.url, request.headers.authorization?.split(" ")[0]]);
    response.setHeader("content-type", "application/json");
    response.end('{"completion":"42"}');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { NodeHttpHandler } = await import("@smithy/node-http-handler");
  const client = new BedrockRuntimeClient({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    requestHandler: new NodeHttpHandler(),
  });
  const { body } = await client.send(
    new InvokeModelCommand({ modelId: "m", body: "{}", contentType: "application/json" }),
  );
  client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return [JSON.parse(new TextDecoder().decode(body)), seen];
};
