// The server's side: calls of its API with the page's token, and the stream of what happens.

const TOKEN = document.querySelector('meta[name="trine-token"]').content;
const HEADERS = { "x-trine-token": TOKEN };
const PAUSES = [100, 250, 500, 1000, 2000];

async function refused(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text || `status ${response.status}`;
  }
}

/** Gets a part of the API. */
export async function get(path) {
  const response = await fetch(`/.trine/api/${path}`, { headers: HEADERS, cache: "no-store" });
  if (!response.ok) {
    throw new Error(await refused(response));
  }
  return response.json();
}

/** Invokes a function with an event, which is JSON text. */
export async function invoke(name, event, id) {
  const response = await fetch(`/.trine/api/invoke/${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { ...HEADERS, "content-type": "application/json", "x-request-id": id },
    body: `{"event":${event}}`,
  });
  if (!response.ok) {
    throw new Error(await refused(response));
  }
  return response.json();
}

/** Follows what happens, also over the server's restarts. `on` has a function for each kind of message, and `state`. */
export async function follow(on) {
  let process = "";
  let next = 0;
  for (let failures = 0; ; failures += 1) {
    try {
      const path = `/.trine/api/live?process=${process}&since=${next}`;
      const response = await fetch(path, { headers: HEADERS, cache: "no-store" });
      if (response.status === 403) {
        on.state("refused", await refused(response));
        return;
      }
      if (!response.ok) {
        throw new Error(`status ${response.status}`);
      }
      failures = 0;
      on.state("live");
      for await (const { id, event, data } of messages(response.body)) {
        if (event === "hello") {
          if (data.process !== process) {
            process = data.process;
            next = 0;
          }
        }
        if (id !== undefined) {
          next = Number(id) + 1;
        }
        on[event]?.(data);
      }
    } catch {
      // It is not there, or not any more: the next one will be.
    }
    on.state("waiting");
    await new Promise((done) => setTimeout(done, PAUSES[Math.min(failures, PAUSES.length - 1)]));
  }
}

/** Reads server-sent events. */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const fields = {};
        for (const line of part.split("\n")) {
          const colon = line.indexOf(": ");
          fields[line.slice(0, colon)] = line.slice(colon + 2);
        }
        yield { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
