export const before = (_event, context) => {
  globalThis.conformanceBox = {};
  context.state.box = globalThis.conformanceBox;
};
