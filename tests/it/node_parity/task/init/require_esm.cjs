const { kind } = require("../lib/esm.mjs");
exports.handler = async () => kind;
