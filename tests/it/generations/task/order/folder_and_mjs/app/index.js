exports.handler = async () => 'folder_and_mjs/app/index.js';
