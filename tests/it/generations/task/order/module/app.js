export const handler = async () => 'module/app.js';
