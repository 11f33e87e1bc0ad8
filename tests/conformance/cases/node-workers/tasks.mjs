import { isMainThread, parentPort, threadId, workerData } from "node:worker_threads";

const tasks = {
  double: ({ value }) => parentPort.postMessage(value * 2),
  facts: () => parentPort.postMessage({
    isMainThread,
    hasId: threadId > 0,
    file: import.meta.filename.split("/").at(-1),
  }),
  fail: () => {
    throw new TypeError("broken in a thread");
  },
  failLater: async () => {
    await null;
    throw new RangeError("later");
  },
  exit: () => process.exit(3),
  log: () => {
    console.log("said in a thread");
    console.error("warned of in a thread");
    process.stdout.write("raw from a thread\n");
  },
  add: ({ buffer }) => {
    const count = new Int32Array(buffer);
    for (let i = 0; i < 1000; i++) {
      Atomics.add(count, 0, 1);
    }
  },
  answer: () => parentPort.on("message", (message) => parentPort.postMessage(message)),
  memory: () => {
    for (const all = [];;) {
      all.push(new Array(1000).fill(all.length));
    }
  },
};

await tasks[workerData.do](workerData);
