require("../lib/syntax.cjs");
