// ws: a server and a client: texts, bytes, compression, pings, closing
import { WebSocket, WebSocketServer } from "ws";

export const handler = async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: { threshold: 10 } });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (socket, request) => {
    socket.send(request.url);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/path`);
  const taken = [];
  client.on("message", (data, isBinary) => taken.push(isBinary ? [...data] : String(data)));
  await new Promise((resolve) => client.once("open", resolve));
  client.send("é".repeat(100));
  client.send(Buffer.from([1, 2, 3]));
  const pong = new Promise((resolve) => client.once("pong", (data) => resolve(String(data))));
  client.ping("p");
  const ponged = await pong;
  while (taken.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  const closed = new Promise((resolve) => client.once("close", (code, reason) => resolve([code, String(reason)])));
  for (const socket of server.clients) socket.close(4001, "enough");
  const told = [taken, ponged, client.extensions, await closed];
  await new Promise((resolve) => server.close(resolve));
  return told;
};
