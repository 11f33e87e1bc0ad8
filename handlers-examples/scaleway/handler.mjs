// Degrees, as a function on Scaleway converts them: asked in the query, or in JSON that a queue or a schedule sends.

const USAGE = 'Add ?celsius=21.5, or send {"celsius": 21.5}.';

function text(statusCode, body) {
  return { statusCode, headers: { "Content-Type": "text/plain; charset=utf-8" }, body };
}

function inBody(event) {
  try {
    return JSON.parse(event.body).celsius;
  } catch {
    return undefined;
  }
}

export function handle(event) {
  const asked = event.queryStringParameters?.celsius ?? inBody(event);
  if (asked === undefined) {
    return text(200, USAGE);
  }
  const celsius = Number(asked);
  if (!Number.isFinite(celsius)) {
    return text(400, `'${asked}' is no temperature.`);
  }
  // An object as the body goes out as JSON.
  return { statusCode: 200, body: { fahrenheit: celsius * 9 / 5 + 32 } };
}

// The usual name everywhere else.
export { handle as handler };
