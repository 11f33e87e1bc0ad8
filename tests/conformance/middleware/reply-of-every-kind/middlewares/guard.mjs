export const before = (event, context) => {
  context.reply(event[0]);
};
