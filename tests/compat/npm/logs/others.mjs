// bunyan, loglevel, debug, log4js: logs caught in memory
import bunyan from "bunyan";
import loglevel from "loglevel";
import debug from "debug";
import log4js from "log4js";

export const handler = async () => {
  const ring = new bunyan.RingBuffer({ limit: 5 });
  const logger = bunyan.createLogger({
    name: "b",
    streams: [{ type: "raw", stream: ring, level: "info" }],
    serializers: bunyan.stdSerializers,
  });
  logger.info({ a: 1 }, "hello");
  logger.warn({ err: new Error("broken") }, "bad");
  const levels = [];
  loglevel.methodFactory = (name) => (message) => levels.push([name, message]);
  loglevel.setLevel("info");
  loglevel.info("x");
  loglevel.debug("y");
  const debugged = [];
  debug.log = (...parts) => debugged.push(parts.length);
  debug.enable("a:*");
  debug("a:b")("hello %d", 1);
  debug("c")("unseen");
  log4js.configure({
    appenders: { memory: { type: "recording" } },
    categories: { default: { appenders: ["memory"], level: "info" } },
  });
  const log4 = log4js.getLogger();
  log4.info("four", 4);
  const recorded = log4js
    .recording()
    .replay()
    .map(({ data }) => data);
  log4js.recording().reset();
  return [
    ring.records.map(({ level, msg, a, err }) => [level, msg, a, err?.message]),
    levels,
    debugged.length,
    recorded,
  ];
};
