// A sub-process that serves functions by HTTP on the loopback. Arguments: its port. A request names the function's file
// (without its extension) and name; the core is its only client.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const functions = new Map();

async function load(path, name) {
  const key = `${path}\0${name}`;
  if (!functions.has(key)) {
    const file = [".mjs", ".cjs", ".js"].map((extension) => path + extension).find(existsSync);
    if (!file) {
      throw new Error(`there is no function at ${path}`);
    }
    functions.set(key, (await import(pathToFileURL(file)))[name]);
  }
  return functions.get(key);
}

async function answer(text) {
  const { event, context, handlerName, handlerPath } = JSON.parse(text);
  const handler = await load(handlerPath, handlerName);
  return JSON.stringify(await handler(event, context));
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", async () => {
    let status = 200;
    let body;
    try {
      body = await answer(Buffer.concat(pieces).toString());
    } catch (error) {
      status = 500;
      body = error.stack;
    }
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    response.writeHead(status, headers).end(body);
  });
});
// The core's connection is kept for good.
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]), "127.0.0.1");

// The core holds the other end of stdin: when that closes, the core is gone.
process.stdin.on("end", () => process.exit()).resume();
