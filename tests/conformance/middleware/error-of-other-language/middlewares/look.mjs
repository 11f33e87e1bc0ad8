export const error = (error) => ({
  is: error instanceof Error,
  name: error.name,
  text: error.message,
});
