export const handler = (event, context) => {
  if (event.read) {
    return context.state.timer(20);
  }
  return "untouched";
};
