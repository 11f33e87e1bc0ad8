export const handler = () => {
  console.log('plain "text"');
  console.warn({ a: [1] });
  console.error("two\nlines");
  console.error(new TypeError("odd"));
  console.error("failed:", new TypeError("odd"));
};
