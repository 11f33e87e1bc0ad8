exports.handler = (event) => {
  return event.b.c;
};
