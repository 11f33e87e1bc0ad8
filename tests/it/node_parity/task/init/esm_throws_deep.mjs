import "../lib/throws.mjs";
