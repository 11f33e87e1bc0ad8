export const before = (event, context) => {
  context.reply("first");
};
