export const before = (_event, context) => {
  const ring = { n: 21 };
  ring.next = { next: ring };
  context.state.ring = ring;
};
