export const handler = () => {
  console.log("handler ran");
  return "handled";
};
