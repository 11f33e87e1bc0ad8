const promise = Promise.reject(new RangeError("handled later"));
exports.handler = async () => promise.catch(({ message }) => message);
