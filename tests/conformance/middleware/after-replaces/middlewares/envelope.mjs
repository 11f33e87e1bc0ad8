export const after = (response) => ({ body: response });
