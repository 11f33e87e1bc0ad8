const names = ["done", "succeed", "fail"];
// Something that stays open all the time, as a pool of connections does, once it has been asked for.
let pool;

const deeds = {
  members: (_event, context) =>
    names.map((name) => {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(context, name);
      return [typeof value, writable, enumerable, configurable].join(" ");
    }),
  copies: (_event, context) => ({
    spread: names.map((name) => typeof { ...context }[name]),
    json: names.filter((name) => name in JSON.parse(JSON.stringify(context))),
    same: context.done === context.done,
  }),
  later: (_event, context) => {
    setTimeout(() => context.succeed("later"), 1);
  },
  "done later": (_event, context) => {
    setTimeout(() => context.done(null, "done later"), 1);
  },
  "fail later": (_event, context) => {
    setTimeout(() => context.fail(new RangeError("too late")), 1);
  },
  "taken out": (_event, { succeed }) => {
    setTimeout(succeed, 1, "taken out");
  },
  "first of two": (_event, context) => {
    context.done(null, "first");
    context.fail(new Error("second"));
  },
  nothing: () => {},
  "nothing, something started": () => {
    setTimeout(() => {}, 1);
  },
  pool: () => {
    pool = setInterval(() => {}, 60000);
    return "open";
  },
  close: () => {
    clearInterval(pool);
    return "closed";
  },
};

/** What monitoring layers do: their own functions take the place of the context's, and call them. */
function wrap(context) {
  for (const name of names) {
    const plain = context[name];
    context[name] = (first, second) =>
      name === "done" ? plain(first, { wrapped: second }) : plain(name === "fail" ? first : { wrapped: first });
  }
}

export const handler = (event, context) => {
  if (event.wrapped) {
    wrap(context);
  }
  if (event.by === "return") {
    return deeds[event.deed](event, context);
  }
  // The names stand in the handlers above; this one calls them: done, succeed, fail.
  deeds[event.deed](event, context);
};
