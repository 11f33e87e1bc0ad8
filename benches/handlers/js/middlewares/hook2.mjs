// Counts the hooks that an event has passed.
export const before = (event) => {
  event.hooks = (event.hooks ?? 0) + 1;
  return event;
};
