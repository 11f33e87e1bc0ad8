const { end, separator } = require("./punctuation.cjs");

exports.greet = (name) => `Hello${separator} ${name}${end}`;
