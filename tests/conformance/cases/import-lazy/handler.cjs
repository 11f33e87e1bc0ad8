exports.handler = (event) => {
  if (event) {
    return require("./counter.cjs").next();
  }
};
