import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";

const [FOLDER, NAME] = [import.meta.url.slice(0, import.meta.url.lastIndexOf("/")), /handler\.\w+/g];

// Types take their lines with them when they are
// stripped; here they are
// comments.

class Shop {
  price() {
    return new Error("price");
  }
}

function inner() {
  return new Error("inner");
}

const ways = {
  method: () => new Shop().price().stack,
  "built-in": () => [1].map(() => inner().stack)[0],
  evaluated: () => eval("inner().stack"),
  listener() {
    const emitter = new EventEmitter();
    let stack;
    emitter.on("event", () => (stack = inner().stack));
    emitter.emit("event");
    return stack;
  },
  timer: () => new Promise((resolve) => setTimeout(() => resolve(inner().stack), 1)),
  "of the runtime"() {
    try {
      readFileSync("/not/there");
    } catch (error) {
      return error.stack;
    }
  },
  captured() {
    const holder = { name: "Named", message: "held" };
    Error.captureStackTrace(holder);
    return holder.stack;
  },
  limited() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 1;
    const { stack } = inner();
    Error.stackTraceLimit = limit;
    return stack;
  },
  sites() {
    const prepare = Error.prepareStackTrace;
    Error.prepareStackTrace = (error, sites) => {
      const texts = sites.map((site) => `${site.getFunctionName()} ${site.getFileName()} ${site}`);
      return [error.message, ...texts].join("\n");
    };
    const { stack } = inner();
    Error.prepareStackTrace = prepare;
    return stack;
  },
  inspected: () => inspect(new AggregateError([inner()], "outer", { cause: new Shop().price() })),
};

const PLACE = /:(\d+):\d+/;
const lines = (stack) =>
  stack.split("\n").map((line) => line.replaceAll(FOLDER, "DIR").replace(NAME, "handler").replace(PLACE, ":$1"));

async function handler(event) {
  return lines(await ways[event]());
}

export { handler };
