const { name } = require("secretive");

function codeOf(load) {
  try {
    load();
    return "loaded";
  } catch (error) {
    return error.code;
  }
}

exports.handler = () => [
  name,
  codeOf(() => require("secretive/hidden.js")),
  codeOf(() => require("secretive/blocked/one.js")),
];
