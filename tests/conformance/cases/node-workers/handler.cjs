const { pathToFileURL } = require("node:url");
const { Worker } = require("node:worker_threads");
const handlerOf = require("./cases.cjs");

exports.handler = handlerOf(Worker, pathToFileURL(__filename));
