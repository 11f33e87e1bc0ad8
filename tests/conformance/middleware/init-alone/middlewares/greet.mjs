export const init = () => {
  console.log("init ran");
};
