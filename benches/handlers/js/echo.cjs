// `echo.mjs` as a CommonJS module.
exports.handler = async (event) => event;
