export const handler = async () => 1;
__dirname;
