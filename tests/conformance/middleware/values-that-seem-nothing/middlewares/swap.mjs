export const before = (event) => event.before;

export const after = (response) => [response];
