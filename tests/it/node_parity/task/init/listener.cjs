process.on("unhandledRejection", (reason) => console.log(`heard ${reason.message}`));
Promise.reject(new RangeError("nobody else listens"));
exports.handler = async () => "alive";
