export const before = undefined;

export const error = null;

export const after = (response) => [response];
