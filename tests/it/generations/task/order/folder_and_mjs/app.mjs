export const handler = async () => 'folder_and_mjs/app.mjs';
