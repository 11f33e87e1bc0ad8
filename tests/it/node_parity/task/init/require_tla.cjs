const { value } = require("../lib/tla.mjs");
exports.handler = async () => value;
