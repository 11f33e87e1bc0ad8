exports.handler = async (event, context, callback) => {
  const ways = { callback, succeed: context.succeed, fail: context.fail, none() {} };
  if (event.later) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  ways[event.use](...event.with);
  if (event.throws) {
    throw new TypeError("thrown");
  }
  return event.returns;
};
