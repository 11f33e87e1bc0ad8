// Greets by name. The event is `{"name": "Ada"}`, or an HTTP request with `?name=Ada`.
// A result without `statusCode` becomes the JSON body of a 200, so both callers get the same answer.

/** @type {import("./.trine/trine.d.ts").Handler} */
export const handler = async (event) => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  return { message: `Hello, ${name}!` };
};
