import { setImmediate, setTimeout } from "node:timers";

const wrap = (inner) => (...all) => inner(...all);
const handlers = {
  wrapped: wrap((event, context, callback) => setTimeout(() => callback(null, "through the callback"), 5)),
  "handed-on": function () {
    return handlers.wrapped.apply(this, arguments);
  },
  succeed: (event, context) => setTimeout(() => context.succeed("through the context"), 5),
  done: (event, context) => setImmediate(() => context.done(null, "through the context")),
};

export const handler = (...all) => handlers[all[0]](...all);
