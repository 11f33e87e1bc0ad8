export const handler = (_event, context) => {
  const { state } = context;
  const before = Object.keys(state).sort();
  delete state.first;
  state.third = 3;
  return { before, has: ["first" in state, "second" in state], after: { ...state } };
};
