export const after = (response) => `${response} and stamped`;
