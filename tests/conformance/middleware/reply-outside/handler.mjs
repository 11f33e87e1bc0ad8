export const handler = (event, context) => {
  if (event.handler) {
    context.reply(1);
  }
  return event;
};
