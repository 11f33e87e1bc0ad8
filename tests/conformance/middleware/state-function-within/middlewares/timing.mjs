export const before = (_event, context) => {
  context.state.tools = { list: [{ run: (n) => n + 1 }] };
};
