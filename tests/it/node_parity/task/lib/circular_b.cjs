const a = require("./circular_a.cjs");
exports.seen = [a.early, a.late];
