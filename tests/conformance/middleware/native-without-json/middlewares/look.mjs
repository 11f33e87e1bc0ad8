export const after = () => {};
