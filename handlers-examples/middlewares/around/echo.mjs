// Answers with what has reached it of the event and of `context.state`.

export const handler = async (event, context) => ({
  name: event.name,
  body: event.body,
  flags: event.flags,
  stamp: event.stamp,
  claims: context.state.claims,
});
