// Confirms orders: a CloudEvent of the type `order.placed` is answered with one of the type `order.confirmed`.
// Served with `--event-format cloudevents`, the event is the object of CloudEvents' JSON format, in whichever mode it came;
// a result with `specversion`, `id`, `source` and `type` goes out as an event.

export const handler = async (event) => {
  if (event.type !== "order.placed") {
    return { ignored: event.type ?? "no event" };
  }
  const { order, items } = event.data;
  return {
    specversion: "1.0",
    id: `${event.id}-confirmed`,
    source: "/confirmations",
    type: "order.confirmed",
    subject: order,
    data: { order, total: items.reduce((sum, { price, quantity }) => sum + price * quantity, 0) },
  };
};
