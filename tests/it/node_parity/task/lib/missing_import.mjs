import "./absent.mjs";
