exports.handler = async () => 'js_and_mjs/app.js';
