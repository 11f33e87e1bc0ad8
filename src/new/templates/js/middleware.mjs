// Runs around the function: `before` sees the event, `after` the response. Both may return another one; nothing keeps it.

/** @type {import("../.trine/trine.d.ts").Middleware["before"]} */
export const before = (event, context) => {
  context.state.begun = Date.now();
};

/** @type {import("../.trine/trine.d.ts").Middleware["after"]} */
export const after = (response, context) => {
  console.log(`answered ${context.awsRequestId} in ${Date.now() - context.state.begun} ms`);
};
