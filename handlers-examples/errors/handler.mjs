// Fails in the way that the event's `kind` names: `{"kind": "own"}`, or an HTTP request with `?kind=own`. Callers get
// `errorType` (the error's name), `errorMessage`, the stack as `trace`, and the `cause` where there is one.

class OutOfStockError extends Error {
  // What callers see as the type. Without it that would be "Error": a class does not rename its errors.
  name = "OutOfStockError";
}

class OrderError extends Error {
  name = "OrderError";
}

const kinds = {
  // An error class of one's own.
  own() {
    throw new OutOfStockError("no anvil left");
  },

  // An error that the language raises.
  builtin() {
    const item = null;
    return item.price;
  },

  // An error that is the reason for another. The document carries both, each with its stack.
  cause() {
    try {
      kinds.own();
    } catch (error) {
      throw new OrderError("cannot place the order", { cause: error });
    }
  },

  // An error after the handler has waited for something: its promise is rejected.
  async later() {
    await new Promise((resolve) => setTimeout(resolve, 10));
    throw new RangeError("quantity must be from 1 to 9");
  },

  // JavaScript throws any value. It arrives with the type of the value and without a stack: better throw errors.
  value() {
    throw { code: 7 };
  },
};

export const handler = async (event) => {
  const kind = event.kind ?? event.queryStringParameters?.kind;
  if (!Object.hasOwn(kinds, kind)) {
    return { kinds: Object.keys(kinds).sort() };
  }
  return kinds[kind]();
};
