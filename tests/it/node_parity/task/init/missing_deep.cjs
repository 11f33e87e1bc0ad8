require("../lib/missing_require.cjs");
