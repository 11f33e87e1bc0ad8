class Odd extends Error {
  name = "Odd";
  get message() {
    throw new TypeError("no message");
  }
}

class Cyclic extends Error {
  name = "Cyclic";
  cause = this;
}

const errors = {
  unreadable: () => new Odd(),
  cyclic: () => new Cyclic("round"),
  empty: () => new Error(),
};

export const handler = (event) => {
  if (errors[event]) {
    throw errors[event]();
  }
  return event;
};
