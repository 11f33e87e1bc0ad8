// node-fetch: JSON, bodies, streams, abort, redirects
import fetch, { FormData } from "node-fetch";

const { API_URL } = process.env;

export const handler = async () => {
  const hello = await (await fetch(`${API_URL}/hello`)).json();
  const form = new FormData();
  form.set("a", "b");
  const posted = await (await fetch(`${API_URL}/echo`, { method: "POST", body: form })).json();
  const aborted = await fetch(`${API_URL}/slow`, { signal: AbortSignal.timeout(50) }).catch((error) => error.name);
  let lines = "";
  for await (const chunk of (await fetch(`${API_URL}/lines`)).body) lines += chunk;
  const redirected = await fetch(`${API_URL}/redirect`);
  return [
    hello,
    posted.type,
    posted.body.includes('name="a"'),
    aborted,
    lines,
    redirected.redirected,
    (await (await fetch(`${API_URL}/gzip`)).json()).packed.length,
  ];
};
