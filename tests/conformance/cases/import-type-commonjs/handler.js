const path = require("path");

module.exports.handler = async () => ({
  require: typeof require,
  file: path.basename(__filename),
});
