exports.handler = async (event) => {
  if (event !== null) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.exit(event);
  }
  return "alive";
};
