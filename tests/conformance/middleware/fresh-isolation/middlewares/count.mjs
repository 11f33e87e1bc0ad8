let count = 0;

export const before = () => {
  count += 1;
  return count;
};
