globalThis.loads = (globalThis.loads ?? 0) + 1;
let count = 0;

exports.handler = () => ({ count: ++count, loads: globalThis.loads });
