const { once } = require("node:events");
const { Worker } = require("node:worker_threads");

const throws = `throw new RangeError("in a thread")`;
const nested = `const { Worker } = require("node:worker_threads");
new Worker(${JSON.stringify(throws)}, { eval: true });`;
const texts = {
  error: throws,
  value: `throw "a text"`,
  nested,
  exit: `process.exit(3)`,
  terminate: `setInterval(() => {}, 1000)`,
  process: throws,
  listener: throws,
};

exports.handler = async (event) => {
  const worker = new Worker(texts[event], { eval: true });
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  const caught = [];
  if (event === "terminate") {
    await once(worker, "online");
    await worker.terminate();
  }
  if (event === "process") {
    process.once("uncaughtException", ({ name, message, stack }) => {
      caught.push(name, message, stack.includes("[worker eval]:1"));
    });
  }
  if (event === "listener") {
    worker.on("error", ({ message }) => caught.push(message));
  }
  const code = await exited;
  // What is uncaught comes to light soon after, and ends this wait.
  const isUncaught = ["error", "value", "nested"].includes(event);
  const isAwaited = event === "process";
  do {
    await new Promise((resolve) => setTimeout(resolve, isUncaught ? 20_000 : 5));
  } while (isAwaited && caught.length === 0);
  return caught.length === 0 ? code : [...caught, code];
};
