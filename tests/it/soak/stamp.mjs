export const before = (_event, context) => {
  context.state.stamps = [...(context.state.stamps ?? []), "js"];
};
export const after = (response) => ({ ...response, last: "js" });
export const error = (error, context) => {
  context.state.failed = error.message;
};
