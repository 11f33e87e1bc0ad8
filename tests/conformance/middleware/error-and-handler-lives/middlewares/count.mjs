let count = 0;

export const before = (event) => {
  count += 1;
  return { ...event, n: count };
};
