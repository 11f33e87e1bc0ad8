export const before = (_event, context) => {
  context.state.user = { name: "ada", seen: ["before"], empty: {}, none: [] };
  context.state.user.seen.push("again");
};

export const after = (response, context) => {
  const { user, fromHandler } = context.state;
  fromHandler.deep[1].n += 1;
  return { response, user, fromHandler: context.state.fromHandler };
};
