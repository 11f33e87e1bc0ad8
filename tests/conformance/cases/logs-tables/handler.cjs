exports.handler = () => {
  console.table([{ a: 1, b: "x" }]);
  console.table("plain");
  return process.argv[1];
};
