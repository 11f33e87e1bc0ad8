export const handler = () => {
  console.dir({ deep: { a: { b: { c: 1 } } } });
  console.group("outer");
  console.log("inner");
  console.groupEnd();
  console.count("count");
  console.count("count");
  console.time("timer");
  console.timeEnd("timer");
  console.assert(false, "not so");
  console.table([[1, 2]]);
};
