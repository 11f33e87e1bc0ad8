const load = () => require("./missing.cjs");

exports.handler = (event) => {
  if (event === "catch") {
    try {
      return load();
    } catch (error) {
      return error.code === "MODULE_NOT_FOUND" ? "caught" : error.code;
    }
  }
  return load();
};
