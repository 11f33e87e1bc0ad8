exports.handler = { a: 1 };
