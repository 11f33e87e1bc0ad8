globalThis.loads = (globalThis.loads ?? 0) + 1;

exports.loads = globalThis.loads;
exports.separator = ",";
exports.end = "!";
