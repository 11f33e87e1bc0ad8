// What `import` of an ES module finds: an event says what.
const summary = (namespace) => {
  const members = {};
  for (const name of Object.keys(namespace).sort()) {
    const value = namespace[name];
    members[name] = typeof value === "function" ? "a function" : value;
  }
  return members;
};

export const handler = async (event) => {
  const [what, name] = event.do.split(" ");
  switch (what) {
    case "import":
      return summary(await import(decodeURI(name)));
    case "json":
      return summary(await import(name, { with: { type: "json" } }));
    case "resolve":
      return import.meta.resolve(name);
    case "circular":
      return (await import("./lib/circular_a.mjs")).read();
    case "meta":
      return Object.keys(import.meta).sort();
    default:
      throw new Error(`nobody knows ${what}`);
  }
};
