// Streaming handlers: each function is a case.
const { Readable, Writable, PassThrough, pipeline } = require("node:stream");
const promises = require("node:stream/promises");
const later = (time) => new Promise((resolve) => setTimeout(resolve, time));
const { HttpResponseStream } = awslambda;

const table = {
  texts: (stream) => {
    stream.write("a");
    stream.write("b");
    stream.end("c");
  },
  nothing: (stream) => {
    stream.end();
  },
  onlyEnd: (stream) => {
    stream.end("all");
  },
  bytes: (stream) => {
    stream.write(Buffer.from("é"));
    stream.write(new Uint8Array([97, 98]));
    stream.end();
  },
  objects: (stream) => {
    stream.write({ a: 1 });
    stream.write([1, 2]);
    stream.write(3);
    stream.end();
  },
  writeNull: (stream) => {
    stream.write(null);
    stream.end();
  },
  writeUndefined: (stream) => {
    stream.write(undefined);
    stream.end();
  },
  writeFalse: (stream) => {
    stream.write(false);
    stream.write(0);
    stream.write("");
    stream.end();
  },
  encoding: (stream) => {
    stream.write("6162", "hex");
    stream.end();
  },
  writeCallback: async (stream) => {
    await new Promise((resolve) => stream.write("called back", resolve));
    await new Promise((resolve) => stream.end(resolve));
  },
  writeReturns: (stream) => {
    const results = [stream.write("x"), typeof stream.end()];
    console.log(results);
  },
  slow: async (stream) => {
    for (const part of ["1", "2", "3"]) {
      stream.write(part);
      await later(2);
    }
    stream.end();
  },
  endLater: async (stream) => {
    setTimeout(() => stream.end("later"), 5);
  },
  notEnded: async (stream) => {
    stream.write("begun");
    setTimeout(() => stream.destroy(), 20);
  },
  contentType: (stream) => {
    stream.setContentType("text/plain");
    stream.end("typed");
  },
  contentTypeTwice: (stream) => {
    stream.setContentType("text/plain");
    stream.setContentType("text/html");
    stream.end("typed");
  },
  contentTypeLate: (stream) => {
    stream.write("begun");
    stream.setContentType("text/plain");
  },
  http: (stream) => {
    const http = HttpResponseStream.from(stream, { statusCode: 201, headers: { "x-a": "b" }, cookies: ["c=d"] });
    http.write("body");
    http.end();
  },
  httpSame: (stream) => {
    const http = HttpResponseStream.from(stream, {});
    http.end(String(http === stream));
  },
  httpEmpty: (stream) => {
    HttpResponseStream.from(stream, { statusCode: 204 }).end();
  },
  httpNothing: (stream) => {
    HttpResponseStream.from(stream).end("x");
  },
  httpLate: (stream) => {
    stream.write("begun");
    HttpResponseStream.from(stream, {});
  },
  httpThenType: (stream) => {
    const http = HttpResponseStream.from(stream, { statusCode: 200 });
    http.setContentType("text/plain");
    http.end("x");
  },
  httpNumbers: (stream) => {
    const http = HttpResponseStream.from(stream, { statusCode: "200", headers: { n: 1, u: undefined, l: ["a"] } });
    http.end("x");
  },
  throwsAtOnce: () => {
    throw new TypeError("at once");
  },
  throwsBefore: async () => {
    await null;
    throw new TypeError("before the first byte");
  },
  throwsAfter: async (stream) => {
    stream.write("begun");
    await later(2);
    throw new RangeError("after the first byte");
  },
  throwsText: async (stream) => {
    stream.write("begun");
    throw "a text";
  },
  throwsUndefined: async (stream) => {
    stream.write("begun");
    throw undefined;
  },
  throwsAfterEnd: async (stream) => {
    stream.end("all");
    await later(2);
    throw new Error("after the end");
  },
  throwsAfterHttp: async (stream) => {
    const http = HttpResponseStream.from(stream, { statusCode: 200 });
    http.write("begun");
    throw new Error("after the head");
  },
  throwsAfterHttpHead: async (stream) => {
    HttpResponseStream.from(stream, { statusCode: 200 });
    throw new Error("before the head is written");
  },
  destroyed: async (stream) => {
    stream.write("begun");
    await later(2);
    stream.destroy(new Error("destroyed by hand"));
  },
  returnsValue: async (stream) => {
    stream.end("all");
    return { ignored: true };
  },
  writeAfterEnd: async (stream) => {
    stream.on("error", (error) => console.log(error.code));
    stream.end("all");
    stream.write("more");
    await later(5);
  },
  piped: async (stream) => {
    Readable.from(["a", "b"]).pipe(stream);
    await new Promise((resolve) => stream.on("finish", resolve));
  },
  pipelined: (stream) => promises.pipeline(Readable.from(["a", "b"]), stream),
  pipelinedThrough: (stream) => promises.pipeline(Readable.from(["a", "b"]), new PassThrough(), stream),
  pipelinedGenerator: (stream) =>
    promises.pipeline(async function* () {
      yield "a";
      await later(1);
      yield "b";
    }, stream),
  pipelinedFails: (stream) =>
    promises.pipeline(async function* () {
      yield "a";
      await later(5);
      throw new Error("in the source");
    }, stream),
  pipelinedGzip: async (stream) => {
    stream.setContentType("application/gzip");
    await promises.pipeline(Readable.from(["a"]), require("node:zlib").createGzip(), require("node:zlib").createGunzip(), stream);
  },
  finished: async (stream) => {
    stream.end("x");
    await promises.finished(stream);
  },
  events: async (stream) => {
    const heard = [];
    for (const name of ["finish", "drain", "error"]) {
      stream.on(name, () => heard.push(name));
    }
    stream.end("x");
    await later(20);
    console.log(heard);
  },
  members: (stream) => {
    const names = ["write", "end", "destroy", "cork", "uncork", "on", "once", "off", "emit", "pipe", "setContentType", "_onBeforeFirstWrite", "writable", "writableEnded", "writableFinished", "writableLength", "writableHighWaterMark", "writableObjectMode", "writableCorked", "writableNeedDrain", "destroyed", "headersSent", "setHeader", "statusCode", "flushHeaders"];
    stream.end(JSON.stringify(names.map((name) => `${name} ${typeof stream[name]}`)));
  },
  isWritable: (stream) => {
    stream.end(JSON.stringify([stream instanceof Writable, stream instanceof require("node:events")]));
  },
  corked: (stream) => {
    stream.cork();
    stream.write("a");
    stream.write("b");
    stream.uncork();
    stream.end();
  },
  highWaterMark: (stream) => {
    stream.end(String(typeof stream.writableHighWaterMark));
  },
  large: async (stream) => {
    let waits = 0;
    for (let index = 0; index < 40; index++) {
      if (!stream.write("x".repeat(2500))) {
        waits++;
        await Promise.race([new Promise((resolve) => stream.once("drain", resolve)), later(1000)]);
      }
    }
    stream.end();
  },
  state: (stream) => {
    const states = [stream.writableEnded, stream.writable, stream.destroyed];
    stream.write("x");
    stream.end();
    console.log([...states, stream.writableEnded, stream.destroyed]);
  },
  toWeb: async (stream) => {
    const writer = Writable.toWeb(stream).getWriter();
    await writer.write("web");
    await writer.close();
  },
  webPiped: async (stream) => {
    for await (const chunk of new Blob(["blob"]).stream()) {
      stream.write(chunk);
    }
    stream.end();
  },
  context: (stream, context) => {
    stream.end(JSON.stringify(Object.keys(context).sort()));
  },
  logs: async (stream) => {
    console.log("logged");
    stream.end("x");
  },
};

exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  process.stdout.write(`-- ${event.do}\n`);
  return table[event.do](stream, context);
});
exports.sync = awslambda.streamifyResponse((event, stream) => {
  stream.end("x");
});
exports.syncThrows = awslambda.streamifyResponse(() => {
  throw new TypeError("not a promise");
});
exports.thenable = awslambda.streamifyResponse((event, stream) => ({
  then(resolve) {
    stream.end("of a thenable");
    resolve();
  },
}));
exports.marked = async (event, stream) => stream.end("marked by hand");
exports.marked[Symbol.for("aws.lambda.runtime.handler.streaming")] = "response";
exports.markedOddly = async () => 1;
exports.markedOddly[Symbol.for("aws.lambda.runtime.handler.streaming")] = "request";
exports.withMark = awslambda.streamifyResponse(async (event, stream) => stream.end(String(stream.writableHighWaterMark)), {
  highWaterMark: 1024,
});
exports.same = async (event, stream) => stream.end(String(awslambda.streamifyResponse(exports.same) === exports.same));
awslambda.streamifyResponse(exports.same);
exports.arity = awslambda.streamifyResponse(async (event, stream, context, more) => stream.end(String([typeof context, typeof more])));
exports.counts = awslambda.streamifyResponse(async function (...given) {
  given[1].end(String(given.length));
});
exports.names = Object.keys(table);
