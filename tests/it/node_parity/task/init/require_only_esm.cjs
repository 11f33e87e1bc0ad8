const { kind } = require("only-esm");
exports.handler = async () => kind;
