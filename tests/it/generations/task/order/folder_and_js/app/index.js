exports.handler = async () => 'folder_and_js/app/index.js';
