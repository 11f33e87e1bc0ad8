export default Promise.resolve(async () => 1);
export const other = 1;
