// `console` writes lines in the form that Lambda's Node runtime gives them.
import { core } from "ext:core/mod.js";
import { currentMeta, host } from "ext:trine_prelude/context.js";
import { isNodes } from "ext:trine_prelude/flavour.js";
import { currentProgram, print } from "ext:trine_prelude/program.js";
import { factsInJson, withErrorsInJson } from "ext:trine_prelude/records.js";
import { isNewer } from "ext:trine_prelude/rules.js";

const { Console } = core.loadExtScript("ext:deno_web/01_console.js");
const node = core.loadExtScript("ext:deno_node/internal/util/inspect.mjs");

const LEVELS = { trace: 0, debug: 1, info: 2, log: 2, warn: 3, error: 4, fatal: 5 };
const NAMES = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** Stands for a proxy that was revoked, of which nothing can be shown. */
const REVOKED = { [Symbol.for("nodejs.util.inspect.custom")]: () => "<Revoked Proxy>" };

function format(args) {
  try {
    return node.format(...args);
  } catch (error) {
    if (!isOfRevoked(error)) {
      throw error;
    }
    return node.format(...args.map(withoutRevoked));
  }
}

function isOfRevoked(error) {
  return error instanceof TypeError && error.message === "Cannot inspect a proxy that has been revoked";
}

function withoutRevoked(value) {
  try {
    node.inspect(value);
    return value;
  } catch (error) {
    return isOfRevoked(error) ? REVOKED : value;
  }
}

/** Arguments as Lambda's runtime sees them, where the first has a name: a call without any logs `undefined`. */
function given(args) {
  return args.length === 0 ? [undefined] : args;
}

/** The id in records outside of invocations. */
const nobodysId = () => isNewer ? "-" : undefined;

function writeText(level, message) {
  const id = currentMeta()?.requestId ?? nobodysId();
  const text = host.joinsLines ? message.replaceAll("\n", "\r") : message;
  host.log(level, `${new Date().toISOString()}\t${id}\t${NAMES[level]}\t${text}\n`);
}

function writeJson(level, args) {
  const meta = currentMeta();
  const line = {
    timestamp: new Date().toISOString(),
    level: NAMES[level],
    requestId: meta?.requestId ?? nobodysId(),
    tenantId: meta?.tenantId,
  };
  let text;
  if (args.length === 1) {
    line.message = args[0];
    try {
      text = JSON.stringify(line, withErrorsInJson);
    } catch {
      line.message = format(args);
      text = JSON.stringify(line);
    }
  } else {
    line.message = format(args);
    // By the newer rules, of an error that comes first only the text tells.
    const error = args.find((arg, place) => arg instanceof Error && !(isNewer && place === 0));
    if (error !== undefined) {
      Object.assign(line, factsInJson(error));
    }
    text = JSON.stringify(line);
  }
  host.log(level, `${text}\n`);
}

/** What Node's console has beside its methods: its class, and the streams behind it, to which loggers write past it. */
function addMembersOfNode(console) {
  let Console;
  Object.defineProperty(console, "Console", {
    configurable: true,
    enumerable: true,
    get: () =>
      Console ??= core.loadExtScript("ext:deno_node/internal/console/constructor.mjs").Console,
    set: (value) => Console = value,
  });
  for (const name of ["stdout", "stderr"]) {
    let stream;
    Object.defineProperty(console, `_${name}`, {
      configurable: true,
      enumerable: false,
      get: () => stream ??= core.createLazyLoader("node:process")().default[name],
      set: (value) => stream = value,
    });
  }
}

const OF_NODE = ["count", "countReset", "table", "time", "timeEnd", "timeLog"];

/** Methods that Node builds on its levels, with its texts, unless the function is written for Deno. */
function addMethodsOfNode(console, writeAt) {
  let nodes;
  for (const name of OF_NODE) {
    const own = console[name];
    console[name] = {
      [name](...args) {
        if (!isNodes()) {
          return Reflect.apply(own, console, args);
        }
        if (nodes === undefined) {
          const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
          const to = (level) => ({ write: (text) => writeAt(text, level) });
          const [stdout, stderr] = [to(LEVELS.info), to(LEVELS.warn)];
          nodes = new Console({ stdout, stderr, ignoreErrors: false });
        }
        Reflect.apply(nodes[name], nodes, args);
      },
    }[name];
  }
}

/** Replaces the global console. Methods that are not levels (table, group, dir, time) end up as lines at INFO. */
export function installConsole(host) {
  const least = host.logLevel;
  const json = host.logJson;
  // Deno numbers the levels 0 debug, 1 info, 2 warn, 3 error.
  const printAt = (message, denoLevel) => {
    const level = denoLevel + 1;
    const program = level < LEVELS.warn ? currentProgram() : undefined;
    if (program !== undefined) {
      print(program, message);
    } else if (level >= least) {
      const text = message.endsWith("\n") ? message.slice(0, -1) : message;
      json ? writeJson(level, [text]) : writeText(level, text);
    }
  };
  const console = new Console(printAt);
  addMethodsOfNode(console, (text, level) => printAt(text, level - 1));
  for (const [name, level] of Object.entries(LEVELS)) {
    const write = level < least
      ? () => {}
      : json
      ? (...args) => writeJson(level, given(args))
      : (...args) => writeText(level, format(given(args)));
    // What a program writes to standard output is its result, whatever the log's level.
    console[name] = level >= LEVELS.warn || name === "trace" ? write : (...args) => {
      const program = currentProgram();
      program === undefined ? write(...args) : print(program, `${format(args)}\n`);
    };
  }
  console.log = console.info;
  console.assert = {
    assert(condition, ...given) {
      if (condition) {
        return;
      }
      const [first, ...rest] = given;
      const isText = typeof first === "string";
      console.warn(...(isText ? [`Assertion failed: ${first}`, ...rest] : ["Assertion failed", ...given]));
    },
  }.assert;
  addMembersOfNode(console);
  Object.defineProperty(globalThis, "console", {
    value: console,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** What guests write to standard output and error by other means than `console` goes where lines go, as it is. */
export function redirectOutputs(host) {
  const io = core.loadExtScript("ext:deno_io/12_io.js");
  for (const [stream, toError] of [[io.stdout, false], [io.stderr, true]]) {
    stream.writeSync = (bytes) => {
      const program = toError ? undefined : currentProgram();
      program === undefined ? host.write(toError, bytes) : print(program, bytes);
      return bytes.byteLength;
    };
    stream.write = (bytes) => Promise.resolve(stream.writeSync(bytes));
    // A terminal would be written to past these methods.
    stream.isTerminal = () => false;
  }
}
