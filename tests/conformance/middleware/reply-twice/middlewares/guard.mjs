export const before = (event, context) => {
  context.reply({ first: true });
  if (event.twice) {
    context.reply({ second: true });
  }
};
