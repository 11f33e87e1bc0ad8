// @aws-lambda-powertools/logger: structured logs with keys, children, errors, levels
import { Logger } from "@aws-lambda-powertools/logger";
import { Console } from "node:console";
import { Writable } from "node:stream";

export const handler = async (event, context) => {
  const lines = [];
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(...String(chunk).trim().split("\n"));
      done();
    },
  });
  const logger = new Logger({ serviceName: "pets", logLevel: "INFO", persistentKeys: { a: 1 } });
  logger.console = new Console({ stdout: sink, stderr: sink });
  logger.addContext({ ...context, awsRequestId: "id" });
  logger.info("hello", { extra: { n: [1] } });
  logger.debug("unseen");
  logger.appendKeys({ b: 2 });
  logger.error("failed", new TypeError("broken"));
  return lines.map((line) => {
    const it = JSON.parse(line);
    return {
      ...it,
      timestamp: undefined,
      error: it.error && [it.error.name, it.error.message],
      function_arn: undefined,
      function_name: undefined,
      function_memory_size: undefined,
      cold_start: undefined,
    };
  });
};
