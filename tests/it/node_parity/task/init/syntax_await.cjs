const value = await 1;
exports.handler = async () => value;
