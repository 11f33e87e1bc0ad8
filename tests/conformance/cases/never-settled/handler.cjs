exports.handler = (event) => {
  if (event.ms) {
    setTimeout(() => {}, event.ms);
  }
  return event.hang ? new Promise(() => {}) : "fine";
};
