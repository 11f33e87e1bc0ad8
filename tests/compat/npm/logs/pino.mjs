// pino: logs with children, redaction, errors and serializers; a transport in a thread
import pino from "pino";
import { Writable } from "node:stream";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";

export const handler = async (event) => {
  const lines = [];
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(chunk));
      done();
    },
  });
  const logger = pino({ redact: ["secret"], timestamp: false, base: null }, sink).child({ module: "m" });
  logger.info({ secret: "x", n: 1 }, "hello %s", "you");
  logger.debug("unseen");
  logger.error(new TypeError("broken"));
  const file = `${tmpdir()}/pino-${event.call}.log`;
  const transport = pino.transport({ target: "pino/file", options: { destination: file } });
  const threaded = pino({ timestamp: false, base: null }, transport);
  await new Promise((resolve) => transport.once("ready", resolve));
  threaded.info("from a thread");
  // Nothing keeps a process waiting for a thread that it has let go of: Lambda's own clients end here without this timer.
  const waiting = setInterval(() => {}, 1000);
  await new Promise((resolve) => {
    transport.once("close", resolve);
    transport.end();
  });
  clearInterval(waiting);
  return [
    lines.map((line) => ({ ...line, err: line.err && [line.err.type, line.err.message] })),
    readFileSync(file, "utf8"),
  ];
};
