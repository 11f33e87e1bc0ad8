import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { double } from "./double.ts";
import fallback, { triple } from "./triple.cts";

export const handler = async (event) => {
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: event });
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
