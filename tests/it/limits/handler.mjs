// Misbehaves as the event says.
import { readFileSync } from "node:fs";

const deep = (n) => 1 + deep(n + 1);
let kept = 0;

const ways = {
  fine: () => ++kept,
  spin: () => {
    while (true);
  },
  microtasks: async () => {
    while (true) await null;
  },
  wait: () => new Promise((resolve) => setTimeout(resolve, 600_000)),
  regex: () => /^(a+)+$/.test("a".repeat(40) + "b"),
  atomics: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  signal: (_event, context) =>
    new Promise((resolve) => {
      setTimeout(resolve, 600_000);
      context.signal.addEventListener("abort", () => resolve(context.signal.reason.name));
    }),
  rethrow: (_event, context) =>
    new Promise((resolve, reject) => {
      setTimeout(resolve, 600_000);
      context.signal.addEventListener("abort", () => reject(context.signal.reason));
    }),
  blocked: (event) => readFileSync(event.fifo),
  fill: () => {
    const all = [];
    while (true) all.push(new Array(1000).fill(all.length));
  },
  buffers: () => {
    const all = [];
    while (true) all.push(new Uint8Array(1 << 20).fill(1));
  },
  exit: () => process.exit(7),
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, "SIGKILL"),
  denoExit: () => Deno.exit(7),
  rejection: async () => {
    Promise.reject(new RangeError("nobody waits"));
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
  timer: () => new Promise(() => setTimeout(() => { throw new RangeError("in a timer"); }, 1)),
  overflow: () => deep(0),
  nested: () => {
    let value = [];
    for (let i = 0; i < 200_000; i++) value = [value];
    return value;
  },
};

// Over HTTP the event is a request, and what is asked for its body.
export const handler = (event, context) => {
  const asked = event.body === undefined ? event : JSON.parse(event.body);
  return ways[asked.do](asked, context);
};
