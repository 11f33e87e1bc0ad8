export const handler = (event, context) => {
  const { user } = context.state;
  user.seen.push("handler");
  user.name = `${user.name}!`;
  context.state.fromHandler = { deep: [1, { n: event.n }] };
  return { name: user.name };
};
