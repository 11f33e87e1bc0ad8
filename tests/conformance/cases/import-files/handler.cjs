const { readFileSync } = require("fs");
const { join } = require("path");

exports.handler = () => readFileSync(join(__dirname, "data.txt"), "utf8");
