const { basename } = require("node:path");
const { parentPort, workerData } = require("node:worker_threads");

parentPort.postMessage({ file: basename(__filename), next: workerData + 1 });
