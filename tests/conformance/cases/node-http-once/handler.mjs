import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";

const read = (name) => fs.readFileSync(new URL(name, import.meta.url));
const [key, cert] = [read("localhost-key.pem"), read("localhost.pem")];
const told = (error) => [error.name, error.code, error.message].filter(Boolean).join(" ");

/** Counts the requests that it gets, answers some of them, drops others, and keeps the rest until it is told. */
async function serve(secure) {
  const seen = [];
  const kept = [];
  const answer = async (request, response) => {
    seen.push(request.url);
    request.on("error", () => {});
    if (request.url === "/warm" || request.url === "/after") {
      response.end("ok");
    } else if (request.url === "/drop") {
      await once(request.resume(), "end");
      request.socket.destroy();
    } else if (request.url === "/half") {
      await once(request.resume(), "end");
      response
        .writeHead(200, { "content-length": 10 })
        .write("half", () => request.socket.destroy());
    } else {
      kept.push(response);
      await once(request.resume(), "end");
      server.emit("kept");
    }
  };
  const server = secure ? https.createServer({ key, cert }, answer) : http.createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    server,
    seen,
    release: () => kept.splice(0).forEach((response) => response.end("late")),
  };
}

/** What is done to a request that its server keeps. */
const deeds = {
  destroy: (request) => request.destroy(),
  "destroy with an error": (request) => request.destroy(new Error("mine")),
  abort: (request) => request.abort(),
  "abort the signal": (_request, controller) => controller.abort(),
  "destroy the socket": (request) => request.socket.destroy(),
  "destroy the agent": (request) => request.agent.destroy(),
  timeout: (request) => {
    request.setTimeout(1, () =>
      request.destroy(Object.assign(new Error("too slow"), { code: "ETIMEDOUT" })),
    );
  },
};

const bodies = {
  GET: (request) => request.end(),
  POST: (request) => request.end("body"),
  PUT: (request) => Readable.from([Buffer.alloc(1000, "a"), Buffer.alloc(1000, "b")]).pipe(request),
};

/** What happens to a request: its events, in order. */
function send(client, options, write) {
  const events = [];
  const request = client.request(options);
  for (const name of ["finish", "timeout", "abort"]) {
    request.on(name, () => events.push(name));
  }
  request.on("error", (error) => events.push(told(error)));
  request.on("response", (response) => {
    let text = "";
    response.on("data", (data) => (text += data));
    response.on("end", () => events.push(`response ${text}`));
    response.on("error", (error) => events.push(`response: ${told(error)}`));
  });
  request.on("close", () => events.push("close"));
  write(request);
  return { request, events, closed: new Promise((resolve) => request.on("close", resolve)) };
}

export const handler = async ({ secure, method, deed, path = "/keep" }) => {
  const { server, seen, release } = await serve(secure);
  const client = secure ? https : http;
  const agent = new client.Agent({ keepAlive: true, ca: cert });
  const options = {
    agent,
    port: server.address().port,
    host: "127.0.0.1",
    servername: "localhost",
  };
  await send(client, { ...options, path: "/warm" }, bodies.GET).closed;
  // The connection is free for the next request now.
  await new Promise(setImmediate);
  const controller = new AbortController();
  const kept = once(server, "kept");
  const sent = send(
    client,
    { ...options, path, method, signal: controller.signal },
    bodies[method],
  );
  const finished = once(sent.request, "finish");
  if (deed !== undefined) {
    await Promise.all([kept, finished]);
    deeds[deed](sent.request, controller);
  }
  await sent.closed;
  release();
  // Had it been sent again, that would have come before this.
  await send(client, { ...options, path: "/after" }, bodies.GET).closed;
  agent.destroy();
  server.closeAllConnections();
  server.close();
  return { events: sent.events, reused: sent.request.reusedSocket, seen };
};
