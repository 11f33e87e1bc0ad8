exports.handler = async () => 'mjs_and_cjs/app.cjs';
