export const before = (_event, context) => {
  context.user = "ada";
};
