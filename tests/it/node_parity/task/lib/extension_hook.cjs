require.extensions[".hooked"] = (module, filename) => module.exports = { kind: `hooked ${require("node:path").basename(filename)}` };
module.exports = require("./file.hooked");
