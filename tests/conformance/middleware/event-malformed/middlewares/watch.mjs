export const before = () => {};

export const error = () => {
  console.log("error hook ran");
};
