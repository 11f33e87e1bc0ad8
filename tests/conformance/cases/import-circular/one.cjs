const { seen, two } = require("./two.cjs");

exports.one = () => 1;
exports.early = seen;
exports.late = () => typeof exports.one;
exports.sum = () => exports.one() + two();
