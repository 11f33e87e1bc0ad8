exports.handler = function (event, context, callback) {
  if (event.throws) {
    throw new TypeError("thrown");
  }
  const timer = event.silent ? undefined : setTimeout(() => callback(null, "through the callback"), 5);
  return {
    timer,
    text: "returned",
    zero: 0,
    promise: event.returns === "promise" ? Promise.resolve("of the promise") : undefined,
    thenable: { then: (resolve) => resolve("of the thenable") },
  }[event.returns];
};
