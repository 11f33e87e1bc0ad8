import { Worker } from "node:worker_threads";

export const handler = (event) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./double.mjs", import.meta.url), { workerData: event });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
