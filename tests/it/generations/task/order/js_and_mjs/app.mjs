export const handler = async () => 'js_and_mjs/app.mjs';
