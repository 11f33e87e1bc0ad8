export const handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, event));
  return "done";
};
