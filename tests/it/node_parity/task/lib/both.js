exports.kind = "both.js";
