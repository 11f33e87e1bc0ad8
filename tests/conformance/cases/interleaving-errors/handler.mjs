export const handler = async ({ ms, fail }) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (fail) {
    throw new Error(fail);
  }
  return "fine";
};
