export const handler = (event, context) => {
  if (event.read) {
    return context.state.box === globalThis.conformanceBox;
  }
  return "untouched";
};
