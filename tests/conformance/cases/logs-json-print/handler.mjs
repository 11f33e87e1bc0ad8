export const handler = () => {
  console.log("printed");
};
