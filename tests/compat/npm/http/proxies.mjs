// http-proxy-agent, https-proxy-agent: requests through a proxy of our own, plain and with CONNECT
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";

const read = (reply) =>
  new Promise((resolve) => {
    let text = "";
    reply.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
  });

export const handler = async () => {
  const seen = [];
  const proxy = http.createServer((request, response) => {
    seen.push(new URL(request.url).pathname);
    response.end("by proxy");
  });
  proxy.on("connect", (request, socket, head) => {
    seen.push(request.method);
    const [host, port] = request.url.split(":");
    const upstream = net.connect(port, host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${proxy.address().port}`;
  const get = (client, url, agent) =>
    new Promise((resolve, reject) => client.get(url, { agent }, (reply) => resolve(read(reply))).on("error", reject));
  const plain = await get(http, "http://example.test/a", new HttpProxyAgent(address));
  const secure = await get(https, `${process.env.API_TLS_URL}/hello`, new HttpsProxyAgent(address));
  const told = [plain, secure, seen];
  proxy.closeAllConnections();
  proxy.close();
  return told;
};
