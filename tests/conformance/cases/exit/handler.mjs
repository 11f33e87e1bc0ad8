export const handler = (event) => {
  if (event !== null) {
    process.exit(event);
  }
  return "alive";
};
