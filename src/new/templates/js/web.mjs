// Greets over HTTP:
//   GET /greetings/Ada    a greeting
//   POST /greetings       one for {"name": "Ada"}
// Requests are events of API Gateway's payload format 2.0, results its responses.

/** @type {import("./.trine/trine.d.ts").Handler} */
export const handler = async (event) => {
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

function create(event) {
  let asked;
  try {
    asked = JSON.parse(bodyOf(event));
  } catch {
    return problem(400, "the body is not valid JSON");
  }
  const name = asked?.name;
  if (typeof name !== "string" || name === "") {
    return problem(400, "the body has no name");
  }
  return reply(201, greeting(name));
}

function greeting(name) {
  return { message: `Hello, ${name}!` };
}

// Types that are not text for sure arrive as base64. That of `curl -d` without a content-type header is one of them.
function bodyOf({ body = "", isBase64Encoded }) {
  return isBase64Encoded ? new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))) : body;
}

function reply(statusCode, value, headers = {}) {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

function problem(statusCode, message, headers) {
  return reply(statusCode, { message }, headers);
}

function notAllowed(method, allow) {
  return problem(405, `${method} is not one of ${allow}`, { allow });
}
