const make = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i + 1}`, i + 1]));

export const handler = (event) => {
  const all = JSON.parse(JSON.stringify(make(event)));
  return {
    count: Object.keys(all).length,
    first: all["key-1"],
    last: all[`key-${event}`],
  };
};
