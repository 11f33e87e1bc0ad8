// Does to the state what the event lists for a place, and notes what comes of it.
const run = (event, context, place) => {
  const { state } = context;
  for (const [act, key, ...rest] of event.places[place]) {
    // Names such as `constructor` mean something to every object of the language.
    const member = Object.hasOwn(state, key) ? state[key] : undefined;
    let given = null;
    switch (act) {
      case "set":
        state[key] = rest[0];
        break;
      case "get":
        given = Object.hasOwn(state, key) ? member : "absent";
        break;
      case "has":
        given = Object.hasOwn(state, key);
        break;
      case "remove":
        delete state[key];
        break;
      case "keys":
        given = Object.keys(state).sort();
        break;
      case "append":
        given = Array.isArray(member);
        if (given) {
          member.push(rest[0]);
        }
        break;
      case "put":
        given = typeof member === "object" && member !== null && !Array.isArray(member);
        if (given) {
          // An assignment to `__proto__` would be something else.
          const [name, value] = rest;
          Object.defineProperty(member, name, { value, configurable: true, enumerable: true, writable: true });
        }
        break;
    }
    event.notes.push(JSON.stringify(given));
  }
  return event;
};

export const before = (event, context) => run(event, context, FIRST);
export const after = (event, context) => run(event, context, SECOND);
export const handler = before;
