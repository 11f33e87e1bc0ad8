export const before = (event, context) => {
  context.reply({ replied: event.n });
  return { n: "not this" };
};
