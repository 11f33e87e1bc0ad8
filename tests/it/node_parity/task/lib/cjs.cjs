exports.kind = "cjs";
exports.count = (globalThis.cjsCount = (globalThis.cjsCount ?? 0) + 1);
