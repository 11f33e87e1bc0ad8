export const handler = async () => 'another one';
