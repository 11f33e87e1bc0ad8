// Asks a server of its own, with a certificate that it has issued to itself, by all ways that there are.
import { once } from "node:events";
import fs from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import tls from "node:tls";
import { Worker } from "node:worker_threads";

const [key, cert] = ["key.pem", "cert.pem"].map((name) => fs.readFileSync(new URL(name, import.meta.url)));
const answer = (request, response) => {
  let body = "";
  request.on("data", (data) => body += data);
  request.on("end", () => {
    request.url === "/elsewhere"
      ? response.writeHead(302, { location: "/found" }).end()
      : response.end(`${request.method} ${request.url} ${body}`.trim());
  });
};

const ways = {
  https: (port) =>
    new Promise((resolve, reject) => {
      https.get({ port, host: "localhost", path: "/https", agent: false }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      }).on("error", reject);
    }),
  async tls(port) {
    const socket = tls.connect({ port, host: "localhost" });
    await once(socket, "secureConnect");
    socket.end();
    return socket.authorized ? "authorized" : "not authorized";
  },
  async "tls with another authority"(port) {
    const socket = tls.connect({ port, host: "localhost", ca: process.env.OTHER_AUTHORITY });
    await once(socket, "secureConnect");
    socket.end();
    return "connected";
  },
  async http2(_port, port) {
    const session = http2.connect(`https://localhost:${port}`);
    await once(session, "connect");
    session.close();
    return "connected";
  },
  fetch: async (port) => await (await fetch(`https://localhost:${port}/fetch`)).text(),
  "fetch again": async (port) =>
    await (await fetch(`https://localhost:${port}/again`, { method: "POST", body: "text" })).text(),
  "fetch a stream": async (port) => {
    const body = new Blob(["stream"]).stream();
    const request = { method: "PUT", body, duplex: "half" };
    return await (await fetch(`https://localhost:${port}/stream`, request)).text();
  },
  "fetch elsewhere": async (port) => {
    const response = await fetch(`https://localhost:${port}/elsewhere`);
    return `${await response.text()} ${response.redirected} ${new URL(response.url).pathname}`;
  },
  // An address is no name in this certificate.
  "fetch an address": async (port) => await (await fetch(`https://127.0.0.1:${port}/`)).text(),
  async thread(port) {
    const worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
      fetch(workerData).then((response) => response.text()).then(
        (text) => parentPort.postMessage(text),
        (error) => parentPort.postMessage(String(error)),
      );`,
      { eval: true, workerData: `https://localhost:${port}/thread` },
    );
    const [text] = await once(worker, "message");
    await worker.terminate();
    return text;
  },
};

export const handler = async () => {
  const servers = [https.createServer({ key, cert }, answer), http2.createSecureServer({ key, cert }, answer)];
  for (const server of servers) {
    await once(server.listen(0), "listening");
  }
  const ports = servers.map((server) => server.address().port);
  const results = { roots: tls.rootCertificates.length > 100 && !tls.rootCertificates.includes(String(cert)) };
  for (const [name, ask] of Object.entries(ways)) {
    results[name] = await ask(...ports).catch((error) => `refused: ${error.code ?? error.name}`);
  }
  servers[0].closeAllConnections();
  servers.forEach((server) => server.close());
  return results;
};
