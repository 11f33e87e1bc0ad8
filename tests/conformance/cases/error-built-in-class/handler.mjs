export const handler = (event) => {
  return event.b.c;
};
