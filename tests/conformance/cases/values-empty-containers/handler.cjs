exports.handler = (event) => event;
