export const handler = (event, context) => {
  if (event.read) {
    return context.state.tools.list[0].run(20);
  }
  return "untouched";
};
