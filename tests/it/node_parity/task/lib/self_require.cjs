exports.kind = require("./self_require.cjs") === exports;
