export const before = () => {
  console.log("inner before ran");
};

export const error = () => {
  console.log("inner error ran");
};
