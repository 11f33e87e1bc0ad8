// Greets by name. The event is `{"name": "Ada"}`, or an HTTP request with `?name=Ada`.
// A result without `statusCode` becomes the JSON body of a 200, so both callers get the same answer.

import type { Handler } from "./.trine/trine.d.ts";

interface Asked {
  name?: string;
  queryStringParameters?: Record<string, string>;
}

interface Greeting {
  message: string;
}

export const handler: Handler<Asked, Greeting> = async (event) => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  return { message: `Hello, ${name}!` };
};
