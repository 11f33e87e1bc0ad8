// Greets by name. The event is an HTTP request with `?name=Ada`, or `{"name": "Ada"}`.
// The id in the log comes from the layer's middleware.

export const handler = async (event, context) => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  console.log(`request ${context.state.requestId}: greeting ${name}`);
  return { message: `Hello, ${name}!` };
};
