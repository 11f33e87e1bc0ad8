export const handler = (event, context, callback) => {
  if (event.ms) {
    setTimeout(() => {}, event.ms);
  }
  if (event.answer) {
    callback(null, event.answer);
  }
};
