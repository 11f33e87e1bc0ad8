export const handler = async () => 'mjs_and_cjs/app.mjs';
