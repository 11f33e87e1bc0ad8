const first = require("./one.cjs");

exports.seen = typeof first.one;
exports.two = () => first.one() + 1;
