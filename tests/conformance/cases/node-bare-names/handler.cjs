const { readFile } = require("fs/promises");
const { createHash } = require("crypto");
const EventEmitter = require("events");
const { builtinModules, isBuiltin } = require("module");

exports.handler = () => [
  typeof readFile,
  typeof createHash,
  typeof EventEmitter,
  builtinModules.includes("http"),
  isBuiltin("node:https"),
];
