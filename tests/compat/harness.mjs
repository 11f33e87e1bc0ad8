// Calls a function's handler as Lambda's own runtime would, in stock Node.js, and writes its answers as JSON:
// node harness.mjs FILE EVENTS ANSWERS
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, events, answers] = process.argv.slice(2);
process.argv.splice(1);

/** TypeScript is compiled beside itself, with a compiler that is among the packages. */
function compiled(file) {
  if (!file.endsWith(".ts")) return file;
  const { transformSync } = createRequire(file)("@swc/core");
  const { code } = transformSync(readFileSync(file, "utf8"), {
    module: { type: "commonjs" },
    jsc: {
      parser: { syntax: "typescript", decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: "es2021",
    },
  });
  const target = file.replace(/\.ts$/, ".compiled.cjs");
  writeFileSync(target, code);
  return target;
}

const context = {
  functionName: "index",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:us-east-1:012345678912:function:index",
  memoryLimitInMB: "1024",
  awsRequestId: "00000000-0000-0000-0000-000000000000",
  logGroupName: "group",
  logStreamName: "stream",
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => 60000,
};

// Lambda's client always has a request under way, so that what waits for nothing else is not the end.
setInterval(() => {}, 1000);
const told = [];
const fail = (error) =>
  told.push({ errorType: error?.name, errorMessage: String(error?.message ?? error), stack: error?.stack });
try {
  const module = await import(pathToFileURL(compiled(file)));
  const handler = module.handler ?? module.default?.handler;
  for (const event of JSON.parse(events)) {
    try {
      told.push({ answer: (await handler(event, context)) ?? null });
    } catch (error) {
      fail(error);
    }
  }
} catch (error) {
  fail(error);
}
writeFileSync(answers, JSON.stringify(told));
process.exit(0);
