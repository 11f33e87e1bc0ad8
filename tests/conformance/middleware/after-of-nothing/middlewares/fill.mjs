export const after = (response) => {
  if (response === null || response === undefined) {
    return { filled: true };
  }
};
