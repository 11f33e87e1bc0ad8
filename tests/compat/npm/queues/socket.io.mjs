// socket.io, socket.io-client: events with acknowledgements, rooms, bytes, by polling and by WebSocket
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";

export const handler = async () => {
  const http = createServer();
  const server = new Server(http);
  server.on("connection", (socket) => {
    socket.join("room");
    socket.on("double", (n, answer) => answer(2 * n));
    socket.on("bytes", (data) => server.to("room").emit("bytes", data));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const told = [];
  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    const client = io(`http://127.0.0.1:${http.address().port}`, { transports, forceNew: true });
    await new Promise((resolve, reject) => client.once("connect", resolve).once("connect_error", reject));
    const bytes = new Promise((resolve) => client.once("bytes", resolve));
    client.emit("bytes", Buffer.from([1, 2]));
    told.push([await client.emitWithAck("double", 21), [...new Uint8Array(await bytes)]]);
    client.disconnect();
  }
  await server.close();
  return told;
};
