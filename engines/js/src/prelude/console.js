// `console` writes lines in the form that Lambda's Node runtime gives them.
import { core } from "ext:core/mod.js";
import { currentMeta, host } from "ext:trine_prelude/context.js";
import { isNodes } from "ext:trine_prelude/flavour.js";
import { currentProgram, print } from "ext:trine_prelude/program.js";

const { Console } = core.loadExtScript("ext:deno_web/01_console.js");
const node = core.loadExtScript("ext:deno_node/internal/util/inspect.mjs");

const LEVELS = { trace: 0, debug: 1, info: 2, log: 2, warn: 3, error: 4, fatal: 5 };
const NAMES = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

function format(args) {
  return node.format(...args);
}

function writeText(level, message) {
  const id = currentMeta()?.requestId;
  const text = host.joinsLines ? message.replaceAll("\n", "\r") : message;
  host.log(level, `${new Date().toISOString()}\t${id}\t${NAMES[level]}\t${text}\n`);
}

function errorFields(error) {
  const { name: _name, message: _message, stack, ...own } = error;
  return {
    errorType: error?.constructor?.name ?? "UnknownError",
    errorMessage: String(error.message),
    stackTrace: String(stack ?? error.stack ?? "").split("\n"),
    ...own,
  };
}

function replaceErrors(_key, value) {
  return value instanceof Error ? errorFields(value) : value;
}

function writeJson(level, args) {
  const meta = currentMeta();
  const line = {
    timestamp: new Date().toISOString(),
    level: NAMES[level],
    requestId: meta?.requestId,
    tenantId: meta?.tenantId,
  };
  let text;
  if (args.length === 1) {
    line.message = args[0];
    try {
      text = JSON.stringify(line, replaceErrors);
    } catch {
      line.message = format(args);
      text = JSON.stringify(line);
    }
  } else {
    line.message = format(args);
    const error = args.find((arg) => arg instanceof Error);
    if (error !== undefined) {
      const { errorType, errorMessage, stackTrace } = errorFields(error);
      Object.assign(line, { errorType, errorMessage, stackTrace });
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

/** Tables as Node draws them, unless the function is written for Deno. */
function addTables(console, write) {
  const { table } = console;
  let nodes;
  console.table = function (data, properties) {
    if (!isNodes()) {
      return Reflect.apply(table, console, arguments);
    }
    if (nodes === undefined) {
      const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
      nodes = new Console({ stdout: { write }, ignoreErrors: false });
    }
    nodes.table(data, properties);
  };
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
  addTables(console, (text) => printAt(text, LEVELS.info - 1));
  for (const [name, level] of Object.entries(LEVELS)) {
    const write = level < least && name !== "fatal"
      ? () => {}
      : json
      ? (...args) => writeJson(level, args)
      : (...args) => writeText(level, format(args));
    // What a program writes to standard output is its result, whatever the log's level.
    console[name] = level >= LEVELS.warn || name === "trace" ? write : (...args) => {
      const program = currentProgram();
      program === undefined ? write(...args) : print(program, `${format(args)}\n`);
    };
  }
  if (LEVELS.trace >= least) {
    console.trace = (...args) => {
      const holder = { name: "Trace", message: format(args) };
      Error.captureStackTrace(holder, console.trace);
      json ? writeJson(0, [holder.stack]) : writeText(0, holder.stack);
    };
  }
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
