export const before = (_event, context) => {
  context.state.list.push("third");
};
