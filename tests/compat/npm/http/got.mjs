// got: JSON, retries, streams, hooks, time limits, TLS
import got from "got";

const { API_URL, API_TLS_URL } = process.env;

export const handler = async (event) => {
  const client = got.extend({
    prefixUrl: API_URL,
    hooks: {
      beforeRequest: [
        (options) => {
          options.headers.authorization = "Bearer t";
        },
      ],
    },
  });
  const hello = await client.get("hello", { searchParams: { name: "got" } }).json();
  const posted = await client.post("echo", { json: { n: 1 } }).json();
  const retried = await client(`flaky/got-${process.versions.v8}-${event.call}`, {
    retry: { limit: 3, calculateDelay: ({ attemptCount }) => (attemptCount > 3 ? 0 : 10) },
  });
  const missing = await client("status/404").catch((error) => [error.code, error.response.statusCode]);
  const late = await client("slow", { timeout: { request: 100 }, retry: { limit: 0 } }).catch((error) => error.code);
  let lines = "";
  for await (const chunk of client.stream("lines")) lines += chunk;
  const packed = await client("gzip").json();
  const redirected = await client("redirect");
  const secure = await got(`${API_TLS_URL}/hello`).json();
  return [
    hello,
    posted,
    retried.retryCount,
    missing,
    late,
    lines,
    packed.packed.length,
    redirected.url.endsWith("redirected"),
    secure,
  ];
};
