const { scoped } = require("@conformance/scoped");
const { condition } = require("conditional");
const { self } = require("conditional/self");

exports.handler = () => ({
  conditional: condition,
  sub: require("conditional/sub"),
  wild: require("conditional/wild/one"),
  main: require("plain"),
  scoped,
  self,
});
