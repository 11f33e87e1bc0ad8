exports.handler = async () => 'bare_and_js/app.js';
