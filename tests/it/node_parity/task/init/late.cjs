setImmediate(() => exports.handler = async () => "late");
