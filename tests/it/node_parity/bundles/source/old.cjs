const path = require("node:path");

exports.kind = `CommonJS with ${path.basename("/a/b")}`;
exports.named = "named";
exports.self = () => module.exports === exports;
