// What handlers leave behind, and what happens between invocations: an event says what to do.
const later = (time) => new Promise((resolve) => setTimeout(resolve, time));
const seen = [];
let count = 0;
let server;

const table = {
  leaveTimer: () => {
    setTimeout(() => seen.push("timer"), 1);
    return "left";
  },
  leaveLongTimer: () => {
    setTimeout(() => seen.push("long"), 60_000);
    return "left";
  },
  leaveInterval: () => {
    setInterval(() => count++, 1);
    return "left";
  },
  leavePromise: () => {
    later(1).then(() => seen.push("promise"));
    return "left";
  },
  leaveImmediate: () => {
    setImmediate(() => seen.push("immediate"));
    return "left";
  },
  leaveTick: () => {
    process.nextTick(() => seen.push("tick"));
    return "left";
  },
  leaveMicrotask: () => {
    queueMicrotask(() => seen.push("microtask"));
    return "left";
  },
  leaveServer: async () => {
    server = require("node:http").createServer((request, response) => response.end("served"));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return "left";
  },
  useServer: async () => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
    return await response.text();
  },
  closeServer: () => {
    server.closeAllConnections();
    server.close();
    return "closed";
  },
  leaveNever: () => {
    new Promise(() => {});
    return "left";
  },
  leaveLog: () => {
    setTimeout(() => console.log("logged late"), 1);
    return "left";
  },
  look: async () => {
    await later(20);
    return seen;
  },
  lookAtOnce: () => seen,
  counted: async () => {
    await later(20);
    return count > 0;
  },
  counts: () => ++count,
  state: () => {
    globalThis.kept = (globalThis.kept ?? 0) + 1;
    return globalThis.kept;
  },
  file: () => {
    const fs = require("node:fs");
    const file = `${require("node:os").tmpdir()}/node-parity-${process.pid}`;
    fs.appendFileSync(file, "x");
    const size = fs.statSync(file).size;
    fs.rmSync(file);
    return size;
  },
  ok: () => "ok",
  throws: () => {
    throw new Error("thrown");
  },
  rejects: () => Promise.reject(new Error("rejected")),
  unhandledNow: async () => {
    Promise.reject(new TypeError("nobody listens"));
    await later(5);
    return "answered";
  },
  unhandledText: async () => {
    Promise.reject("a text");
    await later(5);
    return "answered";
  },
  unhandledUndefined: async () => {
    Promise.reject();
    await later(5);
    return "answered";
  },
  unhandledObject: async () => {
    Promise.reject({ a: 1 });
    await later(5);
    return "answered";
  },
  unhandledAtOnce: () => {
    Promise.reject(new TypeError("nobody listens"));
    return "answered";
  },
  unhandledLater: () => {
    setTimeout(() => Promise.reject(new TypeError("after the answer")), 1);
    return "answered";
  },
  handledLate: async () => {
    const promise = Promise.reject(new Error("handled in time"));
    await null;
    await promise.catch(() => {});
    return "answered";
  },
  handledTooLate: async () => {
    const promise = Promise.reject(new Error("handled too late"));
    await later(5);
    return promise.catch(() => "caught");
  },
  uncaughtTimer: async () => {
    setTimeout(() => {
      throw new RangeError("in a timer");
    }, 1);
    await later(20);
    return "answered";
  },
  uncaughtLater: () => {
    setTimeout(() => {
      throw new RangeError("after the answer");
    }, 1);
    return "answered";
  },
  uncaughtTick: async () => {
    process.nextTick(() => {
      throw new RangeError("in a tick");
    });
    await later(5);
    return "answered";
  },
  uncaughtText: async () => {
    setTimeout(() => {
      throw "a text";
    }, 1);
    await later(20);
    return "answered";
  },
  uncaughtEmitter: async () => {
    setTimeout(() => new (require("node:events"))().emit("error", new Error("emitted")), 1);
    await later(20);
    return "answered";
  },
  listenUncaught: async () => {
    process.once("uncaughtException", (error, origin) => seen.push(`${error.message} ${origin}`));
    setTimeout(() => {
      throw new RangeError("heard");
    }, 1);
    await later(20);
    return seen;
  },
  listenUnhandled: async () => {
    process.once("unhandledRejection", (reason, promise) => seen.push(`${reason} ${promise instanceof Promise}`));
    Promise.reject(new RangeError("heard"));
    await later(20);
    return seen;
  },
  listenMonitor: async () => {
    process.once("uncaughtExceptionMonitor", (error) => seen.push(error.message));
    process.once("uncaughtException", () => {});
    setTimeout(() => {
      throw new RangeError("monitored");
    }, 1);
    await later(20);
    return seen;
  },
  listenHandled: async () => {
    process.once("unhandledRejection", () => seen.push("unhandled"));
    process.once("rejectionHandled", () => seen.push("handled"));
    const promise = Promise.reject(new Error("late"));
    await later(5);
    promise.catch(() => {});
    await later(5);
    return seen;
  },
  listenWarning: async () => {
    process.once("warning", (warning) => seen.push(`${warning.name} ${warning.message}`));
    process.emitWarning("careful", "OwnWarning");
    await later(5);
    return seen;
  },
  captured: async () => {
    process.setUncaughtExceptionCaptureCallback((error) => seen.push(error.message));
    setTimeout(() => {
      throw new RangeError("captured");
    }, 1);
    await later(20);
    process.setUncaughtExceptionCaptureCallback(null);
    return seen;
  },
  exit0: () => process.exit(0),
  exit3: () => process.exit(3),
  exitByCode: () => {
    process.exitCode = 4;
    process.exit();
  },
  exitFinally: () => {
    try {
      process.exit(1);
    } finally {
      console.log("in finally");
    }
  },
  exitLater: async () => {
    setTimeout(() => process.exit(5), 1);
    await later(50);
    return "answered";
  },
  exitListener: () => {
    process.on("exit", (code) => console.log(`ends with ${code}`));
    process.exit(6);
  },
  abort: () => process.abort(),
  killed: async () => {
    process.kill(process.pid, "SIGKILL");
    await later(50);
    return "answered";
  },
  never: () => new Promise(() => {}),
  neverWithTimer: async () => {
    setTimeout(() => {}, 30);
    await new Promise(() => {});
  },
  asyncLocal: async () => {
    const { AsyncLocalStorage } = require("node:async_hooks");
    const storage = new AsyncLocalStorage();
    return storage.run("inside", async () => {
      await later(1);
      return [storage.getStore(), await new Promise((resolve) => setTimeout(() => resolve(storage.getStore()), 1))];
    });
  },
  asyncLocalEnter: () => {
    const { AsyncLocalStorage } = require("node:async_hooks");
    globalThis.storage ??= new AsyncLocalStorage();
    const before = globalThis.storage.getStore();
    globalThis.storage.enterWith("entered");
    return [before === undefined, globalThis.storage.getStore()];
  },
  abortSignal: async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("aborted")), 1);
    try {
      await require("node:timers/promises").setTimeout(1000, null, { signal: controller.signal });
    } catch (error) {
      return [error.name, error.code, error.cause?.message];
    }
  },
  childProcess: async () => {
    const { promisify } = require("node:util");
    const { stdout } = await promisify(require("node:child_process").execFile)("echo", ["from a child"]);
    return stdout;
  },
  workerThread: async () => {
    const { Worker } = require("node:worker_threads");
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
    return new Promise((resolve) => worker.on("message", resolve));
  },
};

// Tells whose lines of the log follow.
const mark = (event) => process.stdout.write(`-- ${event.do}\n`);

exports.handler = async (event) => {
  mark(event);
  return table[event.do]();
};
exports.sync = (event) => {
  mark(event);
  return table[event.do]();
};
exports.callback = (event, context, callback) => {
  if (event.flag !== undefined) {
    context.callbackWaitsForEmptyEventLoop = event.flag;
  }
  callback(null, table[event.do]());
};
exports.names = Object.keys(table);
