export const after = (response, context) => {
  if (response.after) {
    context.reply(1);
  }
};
