export const before = (_event, context) => {
  context.state.first = "one";
  context.state.second = [2];
};

export const after = (response, context) => ({ ...response, left: Object.keys(context.state).sort() });
