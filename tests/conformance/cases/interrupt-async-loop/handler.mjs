export const handler = async ({ loop, ms }) => {
  await null;
  while (loop);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return "fine";
};
