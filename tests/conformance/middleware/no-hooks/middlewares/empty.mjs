export const befor = () => {};

export const helper = () => {};
