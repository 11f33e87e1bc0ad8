// The least that a function on Lambda can be served with where there is no official client: ask for an event by fetch,
// call the handler, post its answer. Runs under Bun, Deno and Node.js. `_HANDLER` is `file.function`, the file an ES
// module `file.mjs` in LAMBDA_TASK_ROOT, or `file.cjs:function`.
const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env;
const api = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

async function post(path, document, headers) {
  const body = JSON.stringify(document);
  const answer = await fetch(`${api}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  // A connection is free for the next request when the answer has been read.
  await answer.arrayBuffer();
  if (!answer.ok) {
    throw new Error(`${path} was refused with status ${answer.status}`);
  }
}

function postError(path, error, headers) {
  const document = {
    errorMessage: String(error?.message ?? error),
    errorType: error?.name ?? "Error",
    stackTrace: String(error?.stack ?? "").split("\n").slice(1),
  };
  return post(path, document, { "lambda-runtime-function-error-type": "Function.Unhandled", ...headers });
}

async function next() {
  for (;;) {
    try {
      // There may be no event for hours. Bun gives up after five minutes unless it is told not to; so does Node.js,
      // which cannot be told and has to ask again. Others ignore the option.
      return await fetch(`${api}/invocation/next`, { timeout: false });
    } catch (error) {
      if (error?.cause?.code !== "UND_ERR_HEADERS_TIMEOUT") {
        throw error;
      }
    }
  }
}

async function load() {
  const at = Math.max(_HANDLER.lastIndexOf("."), _HANDLER.lastIndexOf(":"));
  const file = _HANDLER[at] === ":" ? _HANDLER.slice(0, at) : `${_HANDLER.slice(0, at)}.mjs`;
  const name = _HANDLER.slice(at + 1);
  const module = await import(new URL(encodeURI(`${LAMBDA_TASK_ROOT}/${file}`), "file://"));
  return module[name] ?? module.default[name];
}

let handler;
try {
  handler = await load();
} catch (error) {
  await postError("init/error", error);
  throw error;
}

for (;;) {
  const event = await next();
  if (!event.ok) {
    throw new Error(`/next was refused with status ${event.status}`);
  }
  const id = event.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(event.headers.get("lambda-runtime-deadline-ms"));
  const invocation = event.headers.get("lambda-runtime-invocation-id");
  // Sent back where it was given: it tells attempts at the same event apart.
  const headers = invocation ? { "lambda-runtime-invocation-id": invocation } : {};
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
  let answer;
  try {
    answer = await handler(await event.json(), context);
  } catch (error) {
    await postError(`invocation/${id}/error`, error, headers);
    continue;
  }
  await post(`invocation/${id}/response`, answer ?? null, headers);
}
