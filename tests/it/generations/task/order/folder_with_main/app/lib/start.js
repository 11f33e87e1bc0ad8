exports.handler = async () => 'folder_with_main/app/lib/start.js';
