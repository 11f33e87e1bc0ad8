import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tls from "node:tls";

const read = (name) => fs.readFileSync(new URL(name, import.meta.url));
const [key, cert] = [read("localhost-key.pem"), read("localhost.pem")];

/** What is sent: the second part when the first has been read, and the third then. */
const PARTS = ["first ", "second ".repeat(20000), "third"];

/** Sends the parts to whoever connects, each when it is asked for it. */
function feed(socket) {
  let place = 0;
  socket.on("error", () => {});
  socket.on("data", (data) => {
    for (const _ of data.toString()) {
      socket.write(PARTS[place++] ?? "");
      if (place === PARTS.length) {
        socket.end();
      }
    }
  });
}

/** Kinds of sockets: each gives a stream that the parts come from, and what asks for the next. */
const kinds = {
  async net(server) {
    const socket = net.connect(server.address().port, "127.0.0.1");
    await once(socket, "connect");
    return [socket, () => socket.write("?")];
  },
  async tls(server) {
    const socket = tls.connect({
      port: server.address().port,
      host: "127.0.0.1",
      ca: cert,
      servername: "localhost",
    });
    await once(socket, "secureConnect");
    return [socket, () => socket.write("?")];
  },
  async upgraded(server) {
    const request = http.get({
      port: server.address().port,
      host: "127.0.0.1",
      headers: { connection: "upgrade", upgrade: "x" },
    });
    const [, socket] = await once(request, "upgrade");
    return [socket, () => socket.write("?")];
  },
  async response(server) {
    const { port } = server.address();
    const [response] = await once(http.get({ port, host: "127.0.0.1" }), "response");
    const asking = net.connect(port, "127.0.0.1");
    return [response, () => asking.write("?")];
  },
};

const servers = {
  net: () => net.createServer(feed),
  tls: () => tls.createServer({ key, cert }, feed),
  upgraded() {
    const server = http.createServer();
    server.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
      feed(socket);
    });
    return server;
  },
  response() {
    const waiting = [];
    let place = 0;
    const web = http.createServer((_request, response) => {
      waiting.push(response);
      response.flushHeaders();
    });
    // One port for both: a plain connection asks, one that begins with a request is answered.
    const server = net.createServer((socket) =>
      socket.once("readable", () => {
        const data = socket.read();
        if (data.toString().startsWith("GET")) {
          socket.unshift(data);
          web.emit("connection", socket);
          return;
        }
        const answer = (data) => {
          for (const _ of data.toString()) {
            waiting[0].write(PARTS[place++] ?? "");
          }
          if (place === PARTS.length) {
            waiting[0].end();
            socket.end();
          }
        };
        answer(data);
        socket.on("data", answer);
      }),
    );
    return server;
  },
};

/** Waits until a stream has done what it does by itself. */
const settled = async () => {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
  }
};

const isFirst = (text) => text.length >= PARTS[0].length;

/** Ways of reading: each gives the whole text that came. */
const ways = {
  /** A flowing stream is paused after its first part, and read by `readable` then. */
  async "data, pause, readable"(stream, ask) {
    let text = "";
    ask();
    await new Promise((resolve) =>
      stream.on("data", function first(data) {
        text += data;
        if (isFirst(text)) {
          stream.removeListener("data", first);
          resolve();
        }
      }),
    );
    await settled();
    stream.pause();
    stream.on("readable", () => {
      for (let data; (data = stream.read()) !== null;) {
        text += data;
      }
    });
    ask();
    ask();
    await once(stream, "end");
    return text;
  },
  async "data, pause, resume"(stream, ask) {
    let text = "";
    ask();
    stream.on("data", (data) => {
      text += data;
      stream.pause();
      setImmediate(() => stream.resume());
    });
    ask();
    ask();
    await once(stream, "end");
    return text;
  },
  async "pause, ask, read(n)"(stream, ask) {
    let text = "";
    stream.pause();
    ask();
    stream.on("readable", () => {
      for (let data; (data = stream.read(3) ?? stream.read()) !== null;) {
        text += data;
      }
    });
    ask();
    ask();
    await once(stream, "end");
    return text;
  },
  async "data, pause, iterate"(stream, ask) {
    let text = "";
    ask();
    await new Promise((resolve) =>
      stream.once("data", (data) => {
        text += data;
        resolve();
      }),
    );
    await settled();
    stream.pause();
    ask();
    ask();
    for await (const data of stream) {
      text += data;
    }
    return text;
  },
  async "data, pause, pipe"(stream, ask) {
    let text = "";
    ask();
    await new Promise((resolve) =>
      stream.once("data", (data) => {
        text += data;
        resolve();
      }),
    );
    await settled();
    stream.pause();
    ask();
    ask();
    const slow = new Writable({
      highWaterMark: 10,
      write(data, _encoding, done) {
        text += data;
        setImmediate(done);
      },
    });
    await pipeline(stream, new PassThrough(), slow);
    return text;
  },
  async "data, pause, unshift, data"(stream, ask) {
    let text = "";
    ask();
    const data = await new Promise((resolve) =>
      stream.once("data", (data) => {
        resolve(data);
      }),
    );
    await settled();
    stream.pause();
    stream.unshift(data);
    stream.on("data", (data) => (text += data));
    stream.resume();
    ask();
    ask();
    await once(stream, "end");
    return text;
  },
  async "pipe, unpipe, readable"(stream, ask) {
    let text = "";
    const sink = new PassThrough();
    sink.on("data", (data) => (text += data));
    stream.pipe(sink);
    ask();
    await once(sink, "data");
    await settled();
    stream.unpipe(sink);
    stream.on("readable", () => {
      for (let data; (data = stream.read()) !== null;) {
        text += data;
      }
    });
    ask();
    ask();
    await once(stream, "end");
    return text;
  },
};

export const handler = async ({ kind, way }) => {
  const server = servers[kind]();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const [stream, ask] = await kinds[kind](server);
  const text = await ways[way](stream, ask);
  stream.destroy();
  server.close();
  server.closeAllConnections?.();
  return text === PARTS.join("");
};
