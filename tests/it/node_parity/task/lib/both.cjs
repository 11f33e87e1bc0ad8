exports.kind = "both.cjs";
