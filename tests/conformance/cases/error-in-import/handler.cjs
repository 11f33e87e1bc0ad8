const { check } = require("./checks.cjs");

exports.handler = (event) => check(event);
