export const before = (event) => {
  console.log(typeof event);
};
