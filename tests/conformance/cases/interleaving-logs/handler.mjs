export const handler = async ({ say, ms }) => {
  console.log("before", say);
  await new Promise((resolve) => setTimeout(resolve, ms));
  console.log("after", say);
};
