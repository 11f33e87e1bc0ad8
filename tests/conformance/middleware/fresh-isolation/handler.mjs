let count = 0;

export const handler = (event) => {
  count += 1;
  return { hook: event, handler: count };
};
