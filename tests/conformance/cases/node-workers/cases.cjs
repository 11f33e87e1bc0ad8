/** The handler, with the Worker of `node:worker_threads` and the URL of the module that starts threads. */
module.exports = (Worker, base) => {
  const start = (file, options) => new Worker(new URL(file, base), options);

  const first = (worker, event = "message") =>
    new Promise((resolve, reject) => {
      worker.once(event, resolve);
      worker.once("error", reject);
    });

  /** What a thread has come to. */
  const run = (file, options) =>
    new Promise((resolve) => {
      const seen = {};
      const worker = start(file, options);
      worker.on("message", (message) => seen.message = message);
      worker.on("error", (error) => seen.error = `${error.name}: ${error.message}`);
      worker.on("exit", (exit) => resolve({ ...seen, exit }));
    });

  const ways = {
    async shared() {
      const buffer = new SharedArrayBuffer(4);
      const workerData = { do: "add", buffer };
      await Promise.all([run("tasks.mjs", { workerData }), run("tasks.mjs", { workerData })]);
      return new Int32Array(buffer)[0];
    },
    async pingPong() {
      const worker = start("tasks.mjs", { workerData: { do: "answer" } });
      const seen = [];
      for (let turn = 0; turn < 3; turn++) {
        const answer = first(worker);
        worker.postMessage({ turn });
        seen.push(await answer);
      }
      return [...seen, await worker.terminate()];
    },
    script() {
      const source = `const { parentPort, workerData } = require("node:worker_threads");
        parentPort.postMessage(require("node:path").join("a", workerData));`;
      return first(new Worker(source, { eval: true, workerData: "b" }));
    },
    commonjs: () => first(start("task.cjs", { workerData: 5 })),
    typescript: () => first(start("task.ts", { workerData: 5 })),
    async missing() {
      const { error, exit } = await run("nothing.mjs");
      return { error: error.includes("nothing.mjs"), exit };
    },
  };

  return (event) =>
    event.way
      ? ways[event.way]()
      : run("tasks.mjs", {
        workerData: event,
        resourceLimits: { maxOldGenerationSizeMb: event.limit },
      });
};
