import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import child_process from "node:child_process";
import crypto from "node:crypto";
import { EventEmitter, EventEmitterAsyncResource, on, once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { PassThrough, Readable, Transform, Writable, finished, pipeline } from "node:stream";
import streamPromises from "node:stream/promises";
import timersPromises from "node:timers/promises";
import util from "node:util";

const als = new AsyncLocalStorage();

/** Notes the store that each event's listener finds. */
function watch(seen, prefix, emitter, ...events) {
  for (const event of events) {
    emitter.on(event, () => {
      const name = prefix + event;
      const store = als.getStore() ?? null;
      if (!(name in seen)) seen[name] = store;
      else if (seen[name] !== store) seen[name] = `${seen[name]}|${store}`;
    });
  }
}
const note =
  (seen, name) =>
  (...args) => {
    seen[name] = als.getStore() ?? null;
    return args;
  };
const listen = (server, ...args) => new Promise((resolve) => server.listen(...args, resolve));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const probes = {
  async readable() {
    const seen = {};
    const stream = als.run(
      "create",
      () =>
        new Readable({
          read() {
            setTimeout(() => this.push(this.n ? null : ((this.n = 1), "x")), 1);
          },
        }),
    );
    als.run("listen", () => watch(seen, "", stream, "data", "end", "close"));
    await once(stream, "close");
    return seen;
  },
  async transform() {
    const seen = {};
    const stream = als.run(
      "create",
      () =>
        new Transform({
          transform(chunk, _e, done) {
            seen.transform = als.getStore() ?? null;
            setTimeout(done, 1, null, chunk);
          },
          flush(done) {
            seen.flush = als.getStore() ?? null;
            done();
          },
        }),
    );
    als.run("listen", () => watch(seen, "", stream, "data", "end", "finish", "close"));
    als.run("write", () => stream.write("x", note(seen, "written")));
    als.run("end", () => stream.end(note(seen, "end callback")));
    await once(stream, "close");
    return seen;
  },
  async pipeline() {
    const seen = {};
    const source = als.run("source", () => Readable.from(["a", "b"]));
    const sink = als.run(
      "sink",
      () =>
        new Writable({
          write(_c, _e, done) {
            seen.write = als.getStore() ?? null;
            setTimeout(done, 1);
          },
        }),
    );
    await new Promise((resolve) =>
      als.run("pipeline", () =>
        pipeline(source, new PassThrough(), sink, (error) => {
          note(seen, "callback")();
          resolve(error);
        }),
      ),
    );
    const other = new PassThrough();
    await new Promise((resolve) =>
      als.run("finished", () => {
        finished(other, () => {
          note(seen, "finished")();
          resolve();
        });
        other.resume().end("x");
      }),
    );
    await als.run("promise", async () => {
      await streamPromises.pipeline(
        Readable.from(["a"]),
        async function* (input) {
          for await (const c of input) {
            seen.generator = als.getStore() ?? null;
            yield c;
          }
        },
        new PassThrough().resume(),
      );
      seen.promise = als.getStore();
    });
    return seen;
  },
  async events() {
    const seen = {};
    const emitter = new EventEmitter();
    setTimeout(
      () =>
        als.run("emit", () => {
          emitter.emit("a", 1);
          emitter.emit("b", 1);
        }),
      2,
    );
    await als.run("once", async () => {
      await once(emitter, "a");
      seen.once = als.getStore();
    });
    setTimeout(() => als.run("emit", () => emitter.emit("b", 1)), 2);
    await als.run("on", async () => {
      for await (const _ of on(emitter, "b")) {
        seen.on = als.getStore();
        break;
      }
    });
    als.run("direct", () => {
      emitter.on("c", note(seen, "direct"));
    });
    als.run("emit", () => emitter.emit("c"));
    const resource = als.run("resource", () => new EventEmitterAsyncResource({ name: "x" }));
    resource.on("d", note(seen, "resource"));
    als.run("emit", () => resource.emit("d"));
    const target = new EventTarget();
    als.run("listen", () => target.addEventListener("e", note(seen, "target")));
    als.run("dispatch", () => target.dispatchEvent(new Event("e")));
    const controller = new AbortController();
    als.run("listen", () => controller.signal.addEventListener("abort", note(seen, "abort")));
    als.run("abort", () => controller.abort());
    const timeout = als.run("signal", () => AbortSignal.timeout(5));
    // The signal alone keeps nothing waiting.
    const waiting = setTimeout(() => {}, 60000);
    await new Promise((resolve) =>
      timeout.addEventListener("abort", () => {
        note(seen, "timeout signal")();
        resolve();
      }),
    );
    clearTimeout(waiting);
    return seen;
  },
  async fs() {
    const seen = {};
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "als-"));
    const file = path.join(folder, "f");
    const call = (name, start) =>
      new Promise((resolve) =>
        als.run(name, () =>
          start((...args) => {
            note(seen, name)();
            resolve(args[1]);
          }),
        ),
      );
    await call("writeFile", (done) => fs.writeFile(file, "x".repeat(10), done));
    await call("readFile", (done) => fs.readFile(file, done));
    await call("stat", (done) => fs.stat(file, done));
    await call("readdir", (done) => fs.readdir(folder, done));
    await call("access", (done) => fs.access(file, done));
    await call("exists", (done) => fs.exists(file, done));
    await call("mkdir", (done) => fs.mkdir(path.join(folder, "d"), done));
    await call("realpath", (done) => fs.realpath(file, done));
    const fd = await call("open", (done) => fs.open(file, "r+", done));
    await call("read", (done) => fs.read(fd, Buffer.alloc(4), 0, 4, 0, done));
    await call("write", (done) => fs.write(fd, Buffer.from("y"), 0, 1, 0, done));
    await call("fstat", (done) => fs.fstat(fd, done));
    await call("fsync", (done) => fs.fsync(fd, done));
    await call("close", (done) => fs.close(fd, done));
    await call("copyFile", (done) => fs.copyFile(file, `${file}2`, done));
    await call("rename", (done) => fs.rename(`${file}2`, `${file}3`, done));
    await call("missing", (done) => fs.readFile(`${file}9`, done));
    const input = als.run("input", () => fs.createReadStream(file));
    watch(seen, "input ", input, "open", "ready", "data", "end", "close");
    await once(input, "close");
    const output = als.run("output", () => fs.createWriteStream(file));
    watch(seen, "output ", output, "open", "ready", "finish", "close");
    als.run("end", () => output.end("x"));
    await once(output, "close");
    await als.run("promise", async () => {
      await fs.promises.readFile(file);
      const handle = await fs.promises.open(file);
      await handle.close();
      for await (const _ of fs.createReadStream(file)) seen.iterated = als.getStore();
      for await (const _ of await fs.promises.opendir(folder)) seen.opendir = als.getStore();
      seen.promise = als.getStore();
    });
    await call("unlink", (done) => fs.unlink(`${file}3`, done));
    await call("rm", (done) => fs.rm(folder, { recursive: true }, done));
    return seen;
  },
  async childProcess() {
    const seen = {};
    await new Promise((resolve) =>
      als.run("exec", () =>
        child_process.exec("echo x", () => {
          note(seen, "exec")();
          resolve();
        }),
      ),
    );
    await new Promise((resolve) =>
      als.run("execFile", () =>
        child_process.execFile("echo", ["x"], () => {
          note(seen, "execFile")();
          resolve();
        }),
      ),
    );
    const child = als.run("spawn", () => child_process.spawn("sh", ["-c", "cat; echo e >&2"]));
    watch(seen, "", child, "spawn", "exit", "close");
    watch(seen, "stdout ", child.stdout, "data", "end", "close");
    watch(seen, "stderr ", child.stderr, "data");
    als.run("write", () => child.stdin.end("x"));
    await once(child, "close");
    const missing = als.run("missing", () => child_process.spawn("no-such-program-of-ours"));
    watch(seen, "missing ", missing, "error");
    await new Promise((resolve) => missing.on("error", resolve));
    await als.run("promisified", async () => {
      await util.promisify(child_process.exec)("true");
      seen.promisified = als.getStore();
    });
    return seen;
  },
  async readline() {
    const seen = {};
    const input = new PassThrough();
    const lines = als.run("create", () => readline.createInterface({ input }));
    watch(seen, "", lines, "line", "close");
    als.run("write", () => input.write("a\n"));
    als.run("end", () => input.end("b\n"));
    await once(lines, "close");
    await als.run("loop", async () => {
      for await (const _ of readline.createInterface({ input: Readable.from(["a\nb\n"]) }))
        seen.loop = als.getStore();
    });
    await als.run("question", async () => {
      const source = new PassThrough();
      const asking = readline.createInterface({ input: source, output: new PassThrough() });
      const answer = new Promise((resolve) =>
        asking.question("?", () => {
          note(seen, "question")();
          resolve();
        }),
      );
      setTimeout(() => als.run("answer", () => source.write("x\n")), 1);
      await answer;
      asking.close();
    });
    return seen;
  },
  async timers() {
    const seen = {};
    await new Promise((resolve) =>
      als.run("timeout", () =>
        setTimeout(() => {
          note(seen, "timeout")();
          resolve();
        }, 1),
      ),
    );
    await new Promise((resolve) =>
      als.run("interval", () => {
        const t = setInterval(() => {
          note(seen, "interval")();
          clearInterval(t);
          resolve();
        }, 1);
      }),
    );
    await new Promise((resolve) =>
      als.run("immediate", () =>
        setImmediate(() => {
          note(seen, "immediate")();
          resolve();
        }),
      ),
    );
    await new Promise((resolve) =>
      als.run("microtask", () =>
        queueMicrotask(() => {
          note(seen, "microtask")();
          resolve();
        }),
      ),
    );
    await new Promise((resolve) =>
      als.run("tick", () =>
        process.nextTick(() => {
          note(seen, "tick")();
          resolve();
        }),
      ),
    );
    await als.run("promises", async () => {
      await timersPromises.setTimeout(1);
      await timersPromises.setImmediate();
      for await (const _ of timersPromises.setInterval(1)) break;
      seen.promises = als.getStore();
    });
    await als.run("thenable", async () => {
      await {
        then(resolve) {
          seen.thenable = als.getStore() ?? null;
          setTimeout(resolve, 1);
        },
      };
      seen.awaited = als.getStore();
    });
    await new Promise((resolve) => {
      const timer = als.run("refreshed", () =>
        setTimeout(() => {
          note(seen, "refreshed")();
          resolve();
        }, 1),
      );
      als.run("refresh", () => timer.refresh());
    });
    const bound = als.run("bound", () => AsyncResource.bind(note(seen, "bound")));
    als.run("other", bound);
    const snapshot = als.run("snapshot", () => AsyncLocalStorage.snapshot());
    als.run("other", () => snapshot(note(seen, "snapshot")));
    als.run("exit", () => als.exit(note(seen, "exit")));
    return seen;
  },
  async crypto() {
    const seen = {};
    const call = (name, start) =>
      new Promise((resolve) =>
        als.run(name, () =>
          start(() => {
            note(seen, name)();
            resolve();
          }),
        ),
      );
    await call("randomBytes", (done) => crypto.randomBytes(4, done));
    await call("randomFill", (done) => crypto.randomFill(Buffer.alloc(4), done));
    await call("randomInt", (done) => crypto.randomInt(4, done));
    await call("pbkdf2", (done) => crypto.pbkdf2("a", "b", 1, 8, "sha1", done));
    await call("scrypt", (done) => crypto.scrypt("a", "b", 8, done));
    await call("hkdf", (done) => crypto.hkdf("sha1", "a", "b", "c", 8, done));
    await call("generateKeyPair", (done) =>
      crypto.generateKeyPair("ec", { namedCurve: "P-256" }, done),
    );
    await als.run("subtle", async () => {
      await globalThis.crypto.subtle.digest("SHA-1", Buffer.from("x"));
      seen.subtle = als.getStore();
    });
    return seen;
  },
  async webStreams() {
    const seen = {};
    await als.run("create", async () => {
      const stream = new ReadableStream({
        start: note(seen, "start"),
        async pull(c) {
          seen.pull = als.getStore() ?? null;
          await sleep(1);
          c.enqueue("x");
          c.close();
        },
      });
      await als.run("read", async () => {
        for await (const _ of stream) seen.read = als.getStore();
      });
    });
    await als.run("blob", async () => {
      await new Blob(["x"]).text();
      seen.blob = als.getStore();
    });
    await als.run("compress", async () => {
      const out = new Blob(["x"]).stream().pipeThrough(new CompressionStream("gzip"));
      for await (const _ of out) seen.compress = als.getStore();
    });
    await als.run("toWeb", async () => {
      for await (const _ of Readable.toWeb(Readable.from(["x"]))) seen.toWeb = als.getStore();
    });
    return seen;
  },
};

export const handler = async (name) => await probes[name]();
