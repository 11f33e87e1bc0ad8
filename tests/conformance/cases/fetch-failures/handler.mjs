import { once } from "node:events";
import net from "node:net";

const failing = async (call) => {
  try {
    await call();
  } catch (error) {
    const { cause } = error;
    const facts = ["code", "errno", "syscall", "hostname", "address"].map((name) => cause[name] ?? null);
    return [`${error}`, `${cause}`.replace(/:\d+$/, ""), ...facts];
  }
};

/** A server that does this with its connections. */
const serving = async (act, call) => {
  const server = net.createServer(act).listen(0, "127.0.0.1");
  await once(server, "listening");
  const result = await call(server.address().port);
  server.close();
  return result;
};

export const handler = async () => {
  const port = await serving(() => {}, (free) => free);
  return {
    refused: await failing(() => fetch(`http://127.0.0.1:${port}/`)),
    unknown: await failing(() => fetch("http://no.such.host.invalid/")).then(([error, , , , ...rest]) => [error, ...rest]),
    closed: await serving((socket) => socket.once("data", () => socket.end()), (port) =>
      failing(() => fetch(`http://127.0.0.1:${port}/`))),
    reset: await serving((socket) => socket.once("data", () => socket.resetAndDestroy()), (port) =>
      failing(() => fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x" }))),
    other: await serving((socket) => socket.end("hello"), (port) =>
      failing(() => fetch(`http://127.0.0.1:${port}/`))).then(([error, cause, code]) => [error, cause, code]),
    plain: await serving((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), (port) =>
      failing(() => fetch(`https://127.0.0.1:${port}/`))).then(([error, , code]) => [error, code]),
    body: await serving((socket) => socket.resume(), (port) =>
      failing(() => fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        duplex: "half",
        body: new ReadableStream({ pull: (controller) => controller.error(new Error("no more")) }),
      }))).then(([error]) => error.startsWith("TypeError") || error.startsWith("Error: no more")),
  };
};
