import "../lib/syntax.mjs";
