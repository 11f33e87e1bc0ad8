export const handler = async (event) => {
  if (event.wait) {
    await new Promise((resolve) => setTimeout(resolve, 20000));
  }
  return "answered";
};
