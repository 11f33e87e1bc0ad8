export const handler = () => 1;
export const other = () => 2;
