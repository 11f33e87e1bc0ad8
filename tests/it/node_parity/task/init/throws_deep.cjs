require("../lib/throws.cjs");
