export const handler = async () => "index.mjs of a folder";
