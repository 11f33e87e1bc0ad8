export const before = (event, context) => {
  context.reply("second");
};
