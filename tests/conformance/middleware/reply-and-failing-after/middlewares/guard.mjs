export const before = (event, context) => {
  context.reply(event);
};

export const after = () => {
  throw new Error("no");
};
