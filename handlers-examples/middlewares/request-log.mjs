// Writes one line of JSON for each invocation: request id, method and path of an HTTP event, how it ended, how long it
// took. Stands first, so that it sees the answers and errors of all others. Nothing to configure.

const begun = new WeakMap();

export function before(event, context) {
  const request = event?.requestContext?.http ?? { method: event?.httpMethod, path: event?.path };
  // The function may be mounted somewhere; the line tells the whole path.
  const path = event?.basePath === undefined ? request.path : event.basePath + request.path;
  begun.set(context, { method: request.method, path, at: performance.now() });
}

export function after(response, context) {
  const status = response?.statusCode ?? (begun.get(context)?.method ? 200 : undefined);
  write(context, { outcome: status >= 500 ? "failed" : "answered", status });
}

export function error(error, context) {
  write(context, { outcome: "error", error: error?.name ?? typeof error, message: String(error?.message ?? error) });
}

function write(context, outcome) {
  const { at, method, path } = begun.get(context);
  const milliseconds = Number((performance.now() - at).toFixed(3));
  // Not `console.log`, which puts time and request id before the line.
  process.stdout.write(
    JSON.stringify({ requestId: context.awsRequestId, method, path, ...outcome, milliseconds }) + "\n",
  );
}
