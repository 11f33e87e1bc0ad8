import assert from "node:assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer } from "node:buffer";
import crypto from "node:crypto";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import querystring from "node:querystring";
import readline from "node:readline";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import url from "node:url";
import util from "node:util";
import zlib from "node:zlib";

const storage = new AsyncLocalStorage();

async function upperCase() {
  let text = "";
  const upper = new Transform({
    transform(chunk, _encoding, done) {
      done(null, chunk.toString().toUpperCase());
    },
  });
  await pipeline(Readable.from(["a", "b", "c"]), upper, async (source) => {
    for await (const chunk of source) {
      text += chunk;
    }
  });
  return text;
}

function encrypted() {
  const [key, iv] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2)];
  const cipher = crypto.createCipheriv("aes-256-cbc", key, iv);
  const data = Buffer.concat([cipher.update("secret"), cipher.final()]);
  const decipher = crypto.createDecipheriv("aes-256-cbc", key, iv);
  return decipher.update(data, null, "utf8") + decipher.final("utf8");
}

async function order() {
  const seen = [];
  await new Promise((resolve) => {
    setImmediate(resolve);
    Promise.resolve().then(() => seen.push("micro"));
    process.nextTick(() => seen.push("tick"));
  });
  return seen.sort((a, b) => b.localeCompare(a));
}

async function files() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "conformance-"));
  const file = path.join(folder, "file.txt");
  await fs.promises.writeFile(file, "written");
  const text = fs.readFileSync(file, "utf8");
  const callback = await new Promise((resolve, reject) =>
    fs.readFile(file, "utf8", (error, data) => (error ? reject(error) : resolve(data)))
  );
  const missing = await fs.promises.stat(path.join(folder, "none")).catch((error) => error.code);
  fs.rmSync(folder, { recursive: true });
  return { fs: text, callback, missing };
}

function emitted() {
  const seen = [];
  const emitter = new EventEmitter();
  emitter.once("event", (value) => seen.push(value));
  emitter.on("event", (value) => seen.push(value + 1));
  emitter.emit("event", 1);
  return seen;
}

async function lines() {
  const found = [];
  for await (const line of readline.createInterface({ input: Readable.from(["one\ntwo\n"]) })) {
    found.push(line);
  }
  return found;
}

export const handler = async () => ({
  buffer: Buffer.from("hi\n").toString("hex"),
  path: path.resolve("/a", "b", "..", "c"),
  url: url.parse("http://localhost/?q=1").query,
  querystring: { ...querystring.parse("a=1&a=2") },
  util: util.format("%s %d %o", "a", 1, { b: 2 }),
  promisify: await util.promisify((n, done) => done(null, n + 1))(4),
  events: emitted(),
  stream: await upperCase(),
  zlib: zlib.gunzipSync(zlib.gzipSync("zip me")).toString(),
  brotli: zlib.brotliDecompressSync(zlib.brotliCompressSync("zip me")).toString(),
  hash: crypto.createHash("sha256").update("hello").digest("hex"),
  hmac: crypto.createHmac("sha256", "key")
    .update("The quick brown fox jumps over the lazy dog").digest("hex"),
  random: crypto.randomBytes(16).length,
  uuid: crypto.randomUUID().length,
  cipher: encrypted(),
  timers: await sleep(1, "timer"),
  assert: (() => {
    try {
      assert.deepStrictEqual({ a: 1 }, { a: 2 });
    } catch (error) {
      return error.code;
    }
  })(),
  os: typeof os.hostname(),
  string_decoder: (() => {
    const decoder = new StringDecoder("utf8");
    return decoder.write(Buffer.from([0xc3])) + decoder.write(Buffer.from([0xa9]));
  })(),
  storage: await storage.run("stored", async () => {
    await sleep(1);
    return storage.getStore();
  }),
  immediate: await new Promise((resolve) => setImmediate(resolve, true)),
  tick: await order(),
  ...(await files()),
  readline: await lines(),
  performance: performance.now() > 0,
});
