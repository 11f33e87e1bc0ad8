const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");

async function aborted() {
  const controller = new AbortController();
  controller.abort();
  return await fetch("http://127.0.0.1:1/", { signal: controller.signal }).catch((e) => e.name);
}

async function gzip(text) {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
}

function dispatched() {
  let count = 0;
  const target = new EventTarget();
  target.addEventListener("tick", () => count++, { once: true });
  target.dispatchEvent(new Event("tick"));
  target.dispatchEvent(new Event("tick"));
  return count;
}

function channel() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port2.onmessage = ({ data }) => {
      port1.close();
      port2.close();
      resolve(data);
    };
    port1.postMessage("message");
  });
}

// (module (func (export "answer") (result i32) i32.const 42))
const wasm = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 10, 1, 6, 97, 110, 115, 119,
  101, 114, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11,
]);

export const handler = async () => {
  const form = new FormData();
  form.append("k", "v");
  const original = { map: new Map([["a", 1]]), date: new Date(Date.UTC(2026, 0, 31)) };
  const clone = structuredClone(original);
  const response = Response.json({ a: 1 });
  return {
    fetch: await (await fetch("data:text/plain,hello")).text(),
    url: new URL("https://example.com/?a=b").searchParams.get("a"),
    encoder: [...new TextEncoder().encode("é")],
    decoder: new TextDecoder().decode(new Uint8Array([195, 169])),
    uuid: /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
    digest: hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))).slice(0, 8),
    clone: [clone.map.get("a") === 1 && clone.map !== original.map, clone.date],
    abort: await aborted(),
    timeout: await new Promise((resolve) => {
      const signal = AbortSignal.timeout(5);
      signal.onabort = () => resolve(signal.reason.name);
      setTimeout(() => {}, 50);
    }),
    blob: [new Blob(["abc"]).size, await new Blob(["a", "bc"]).text()],
    headers: new Headers([["X-A", "a"], ["x-a", "b"]]).get("X-A"),
    response: { ok: response.ok, json: await response.json() },
    request: new Request("http://localhost/", { method: "POST", body: "x" }).method,
    atob: atob("aGk="),
    btoa: btoa("hi"),
    form: form.getAll("k"),
    stream: await new Response(ReadableStream.from([new Uint8Array([120]), new Uint8Array([121])])).text(),
    gzip: await gzip("zipped"),
    event: dispatched(),
    microtask: await new Promise((resolve) => queueMicrotask(() => resolve(true))),
    error: (() => {
      try {
        structuredClone(() => {});
      } catch (error) {
        return error.name;
      }
    })(),
    channel: await channel(),
    navigator: typeof navigator.userAgent,
    intl: new Intl.NumberFormat("de-DE").format(1234.5),
    weakref: new WeakRef(original).deref() === original,
    wasm: (await WebAssembly.instantiate(wasm)).instance.exports.answer(),
  };
};
