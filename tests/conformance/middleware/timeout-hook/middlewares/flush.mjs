export const timeout = () => {
  console.log("timeout hook ran");
};
