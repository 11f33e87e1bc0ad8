const { scoped } = require("@conformance/scoped");
const { condition } = require("conditional");
const { self } = require("conditional/self");

function codeOf(load) {
  try {
    return load();
  } catch (error) {
    return error.code;
  }
}

exports.handler = () => ({
  conditional: condition,
  sub: require("conditional/sub"),
  wild: require("conditional/wild/one"),
  main: require("plain"),
  scoped,
  self,
  hidden: codeOf(() => require("conditional/lib/hidden.js")),
});
