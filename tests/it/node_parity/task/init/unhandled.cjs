Promise.reject(new RangeError("nobody listens"));
exports.handler = async () => 1;
