export const before = 42;

export const after = () => {};
