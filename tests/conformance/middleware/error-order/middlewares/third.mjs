export const error = (error) => {
  const text = error.message.slice(error.message.lastIndexOf(": ") + 1).trim();
  return new Error(`${text} third`);
};
