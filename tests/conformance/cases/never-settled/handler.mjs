export const handler = async (event) => {
  if (event.ms) {
    await new Promise((resolve) => setTimeout(resolve, event.ms));
  }
  if (event.hang) {
    await new Promise(() => {});
  }
  return "fine";
};
