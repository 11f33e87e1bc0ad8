// Runs around the function: `before` sees the event, `after` the response. Both may return another one; nothing keeps it.

import type { Middleware } from "../.trine/trine.d.ts";

export const before: Middleware["before"] = (event, context) => {
  context.state.begun = Date.now();
};

export const after: Middleware["after"] = (response, context) => {
  console.log(`answered ${context.awsRequestId} in ${Date.now() - context.state.begun} ms`);
};
