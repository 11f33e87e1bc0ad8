export const handler = ({ items }) => ({
  total: items[7].price,
});
