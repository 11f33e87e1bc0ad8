process.nextTick(() => {
  throw new RangeError("in a tick");
});
exports.handler = async () => 1;
