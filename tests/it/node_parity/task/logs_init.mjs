console.log("while loading");
console.error(new Error("while loading"));
console.info({ a: 1 });
process.stdout.write("raw while loading\n");
setTimeout(() => console.log("in a timer of loading"), 0);
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  console.log("invoked");
};
