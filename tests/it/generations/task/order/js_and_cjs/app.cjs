exports.handler = async () => 'js_and_cjs/app.cjs';
