export const handler = ({ items }) => {
  const total = items.reduce((sum, { price, count }) => sum + price * (count - Math.floor(count / 3)), 0);
  return { total, why: "three for two" };
};
