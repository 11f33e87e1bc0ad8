exports.handler = async () => 'folder/app/index.js';
