import "../lib/esm";
