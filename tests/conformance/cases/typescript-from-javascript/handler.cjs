const { once } = require("node:events");
const path = require("node:path");
const { Worker } = require("node:worker_threads");
const { double } = require("./double.ts");
const { default: fallback, triple } = require("./triple.cts");

exports.handler = async (event) => {
  const worker = new Worker(path.join(__dirname, "thread.ts"), { workerData: event });
  const [thread] = await once(worker, "message");
  await worker.terminate();
  return {
    module: double(event),
    commonjs: triple(event),
    default: fallback,
    lazy: (await import("./double.ts")).double(event),
    missing: await import("./double").then(() => "found", (error) => error.code),
    thread,
  };
};
