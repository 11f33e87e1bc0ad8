exports.handler = async () => 'module_and_cjs/app.cjs';
