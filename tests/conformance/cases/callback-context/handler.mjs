export const handler = (event, context) => {
  const args = event.error ? [new RangeError(event.error)] : event.with;
  const answer = context[event.use];
  if (event.later) {
    setTimeout(answer, 5, ...args);
  } else {
    answer(...args);
  }
  if (event.twice) {
    context.fail(new Error("second"));
    context.succeed("third");
  }
};
