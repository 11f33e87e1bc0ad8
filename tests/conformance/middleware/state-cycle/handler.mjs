export const handler = (event, context) => {
  if (event.read) {
    return context.state.ring.next.next.n;
  }
  return "untouched";
};
