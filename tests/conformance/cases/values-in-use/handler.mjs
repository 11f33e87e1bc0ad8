export const handler = ({ name, numbers, nested }) => {
  numbers.push(4);
  return {
    greeting: `Hello ${name}`,
    numbers,
    sum: numbers.reduce((a, b) => a + b),
    isNull: nested.deep[0].x === null,
  };
};
