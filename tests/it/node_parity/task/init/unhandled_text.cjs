Promise.reject("a text");
exports.handler = async () => 1;
