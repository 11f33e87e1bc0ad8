const { Worker } = require("node:worker_threads");
const { pathToFileURL } = require("node:url");

const text = `const { parentPort } = require("node:worker_threads");
function fail() {
  throw new RangeError("evaluated");
}
setTimeout(fail, 1);`;

const workers = {
  evaluated: () => new Worker(text, { eval: true }),
  module: () => new Worker(new URL("./module.mjs", pathToFileURL(__filename))),
  commonjs: () => new Worker(new URL("./commonjs.cjs", pathToFileURL(__filename))),
};

const PLACE = /[^ (]*\/(.*):\d+/;

exports.handler = async (event) => {
  const error = await new Promise((resolve) => workers[event]().once("error", resolve));
  return [error.name, error.message, ...error.stack.split("\n").map((line) => line.replace(PLACE, "$1"))];
};
