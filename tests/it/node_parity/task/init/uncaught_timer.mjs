setTimeout(() => {
  throw new RangeError("in a timer");
}, 1);
await new Promise((resolve) => setTimeout(resolve, 50));
export const handler = async () => 1;
