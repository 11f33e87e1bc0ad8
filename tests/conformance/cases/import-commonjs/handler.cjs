const path = require("path");

const topLevelThis = this === module.exports;

exports.handler = () => {
  const child = require("./child.cjs");
  return {
    file: path.basename(__filename),
    folder: path.dirname(__filename) === __dirname,
    resolved: path.basename(require.resolve("./child.cjs")),
    parent: child.parent === module,
    cached: require.cache[require.resolve("./child")]?.exports === child,
    strict: (function () {
      return this === undefined;
    })(),
    this: topLevelThis,
    index: require("./folder"),
  };
};
