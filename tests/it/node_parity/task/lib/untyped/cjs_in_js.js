exports.kind = "CommonJS in js";
