// Answers failed HTTP events with a problem document (RFC 9457). The error's `statusCode` or type decides on the status;
// HTTP_ERRORS adds types of any language (`OutOfStockError=409,PetNotFound=404`). Others are logged and tell callers
// nothing. Stands inside of request-log, cors and redact, outside of everything that may fail.
import { STATUS_CODES } from "node:http";

const statuses = new Map(Object.entries({
  BadRequest: 400, Unauthorized: 401, Forbidden: 403, PermissionError: 403, NotFound: 404, Conflict: 409,
  TooManyRequests: 429, DeadlineExceeded: 504, "Function.Timeout": 504,
}));
const isHttp = new WeakSet();

export function init() {
  for (const pair of (process.env.HTTP_ERRORS ?? "").split(",").filter(Boolean)) {
    const [type, status] = pair.split("=").map((part) => part.trim());
    if (!STATUS_CODES[status]) {
      throw new Error(`HTTP_ERRORS: ${JSON.stringify(pair)} is not of the form Type=409`);
    }
    statuses.set(type, Number(status));
  }
}

export function before(event, context) {
  if (event?.requestContext?.http ?? event?.httpMethod) {
    isHttp.add(context);
  }
}

export function error(error, context) {
  // A queue's event must fail, or its messages are lost.
  if (!isHttp.has(context)) {
    return;
  }
  const named = statuses.get(error?.name) ?? statuses.get(error?.name?.replace(/(Error|Exception)$/, ""));
  const known = STATUS_CODES[error?.statusCode] ? error.statusCode : named;
  const status = known ?? 500;
  if (status >= 500) {
    console.error(error?.stack ?? error);
  }
  return {
    statusCode: status,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify({
      title: STATUS_CODES[status],
      status,
      detail: known === undefined ? undefined : error.message,
      requestId: context.awsRequestId,
    }),
  };
}
