// Greets over HTTP:
//   GET /greetings/Ada    a greeting
//   POST /greetings       one for {"name": "Ada"}
// Requests are events of API Gateway's payload format 2.0, results its responses.

import type { Handler } from "./.trine/trine.d.ts";

interface HttpRequest {
  rawPath: string;
  requestContext: { http: { method: string } };
  body?: string;
  isBase64Encoded: boolean;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

export const handler: Handler<HttpRequest, HttpResponse> = async (event) => {
  const { method } = event.requestContext.http;
  const [collection, name, ...rest] = event.rawPath.split("/").filter((segment) => segment !== "");
  if (collection !== "greetings" || rest.length > 0) {
    return problem(404, `there is nothing at ${event.rawPath}`);
  }
  if (name === undefined) {
    return method === "POST" ? create(event) : notAllowed(method, "POST");
  }
  return method === "GET" ? reply(200, greeting(name)) : notAllowed(method, "GET");
};

function create(event: HttpRequest): HttpResponse {
  let asked: unknown;
  try {
    asked = JSON.parse(bodyOf(event));
  } catch {
    return problem(400, "the body is not valid JSON");
  }
  const name = typeof asked === "object" && asked !== null && "name" in asked ? asked.name : undefined;
  if (typeof name !== "string" || name === "") {
    return problem(400, "the body has no name");
  }
  return reply(201, greeting(name));
}

function greeting(name: string) {
  return { message: `Hello, ${name}!` };
}

// Types that are not text for sure arrive as base64. That of `curl -d` without a content-type header is one of them.
function bodyOf({ body = "", isBase64Encoded }: HttpRequest): string {
  return isBase64Encoded ? new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))) : body;
}

function reply(statusCode: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

function problem(statusCode: number, message: string, headers?: Record<string, string>): HttpResponse {
  return reply(statusCode, { message }, headers);
}

function notAllowed(method: string, allow: string): HttpResponse {
  return problem(405, `${method} is not one of ${allow}`, { allow });
}
