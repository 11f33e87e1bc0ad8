export const handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return event;
};
