export const before = (_event, context) => {
  context.state.timer = (n) => n + 1;
};
