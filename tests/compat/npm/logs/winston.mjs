// winston: formats, levels, transports to files and streams
import winston from "winston";
import { Writable } from "node:stream";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";

export const handler = async (event) => {
  const lines = [];
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk).trim());
      done();
    },
  });
  const file = `${tmpdir()}/winston-${event.call}.log`;
  const { combine, errors, json, splat, printf } = winston.format;
  const logger = winston.createLogger({
    level: "debug",
    format: combine(errors({ stack: false }), splat(), json()),
    transports: [
      new winston.transports.Stream({ stream }),
      new winston.transports.File({
        filename: file,
        level: "error",
        format: printf(({ level, message }) => `${level}: ${message}`),
      }),
    ],
  });
  logger.child({ a: 1 }).debug("hello %s", "you");
  logger.error(new Error("broken"));
  await new Promise((resolve) => {
    logger.on("finish", () => setTimeout(resolve, 100));
    logger.end();
  });
  return [lines.map((line) => JSON.parse(line)), readFileSync(file, "utf8")];
};
