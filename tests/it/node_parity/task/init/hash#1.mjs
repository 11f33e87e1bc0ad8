export const handler = async () => "hash";
