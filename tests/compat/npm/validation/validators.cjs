// jsonschema, validator: JSON Schema and checks of texts
const { Validator } = require("jsonschema");
const validator = require("validator");

exports.handler = async () => [
  new Validator().validate({ a: "x" }, { type: "object", properties: { a: { type: "number" } } }).errors.map(String),
  validator.isEmail("a@b.test"),
  validator.isUUID("x"),
  validator.isIBAN("DE89370400440532013000"),
  validator.escape("<b>"),
  validator.isCreditCard("4111111111111111"),
];
