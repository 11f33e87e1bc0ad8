export const before = (_event, context) => {
  const keys = Object.keys(context.state);
  context.state.mark = 1;
  return keys;
};
