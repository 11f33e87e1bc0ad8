console.log("at the start");

exports.handler = async () => {
  console.info("info", 1, { a: [2] });
  console.debug("debug");
  console.trace("trace");
  console.warn("warn %d%%", 50);
  console.error("error");
  console.fatal("fatal");
  console.log("two\nlines");
};
