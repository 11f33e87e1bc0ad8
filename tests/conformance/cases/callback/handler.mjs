export const handler = (event, context, callback) => {
  const answer = () => {
    if (event.text) {
      callback(event.text);
    } else if (event.fail) {
      callback(new TypeError(event.fail));
    } else {
      callback(null, event.value);
    }
    if (event.twice) {
      callback(new Error("second"));
      callback(null, "third");
    }
  };
  if (event.later) {
    setTimeout(answer, 5);
  } else {
    answer();
  }
};
