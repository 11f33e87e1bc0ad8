export const handler = async () => "a module without a type";
