exports.handler = async (event: string): Promise<number> => 1;
