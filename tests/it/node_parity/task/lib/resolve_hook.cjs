const Module = require("node:module");
const { _resolveFilename, _load } = Module;
Module._resolveFilename = function (request, ...rest) {
  return request === "virtual" ? _resolveFilename.call(this, "./cjs.cjs", ...rest) : _resolveFilename.call(this, request, ...rest);
};
exports.kind = require("virtual").kind;
Module._resolveFilename = _resolveFilename;
Module._load = (request, ...rest) => request === "made-up" ? { kind: "made up" } : _load(request, ...rest);
exports.loaded = require("made-up").kind;
Module._load = _load;
