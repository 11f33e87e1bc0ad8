export const handler = (_event, context) => {
  context.state.list.push("handler");
  return "done";
};
