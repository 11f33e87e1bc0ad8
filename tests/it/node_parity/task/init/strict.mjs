export const handler = async () => {
  undeclared = 1;
};
