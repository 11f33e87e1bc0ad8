exports.early = "early a";
const b = require("./circular_b.cjs");
exports.seen = b.seen;
exports.late = "late a";
