// Middlewares of the earlier runtime: programs that read standard input, look at their first argument and print a result.
// Each call runs the compiled text anew, as a CommonJS module of its own. What it touches of the process (arguments,
// standard streams, exit status) is told apart by the invocation that its code runs for, so that programs may interleave.
import { core } from "ext:core/mod.js";
import { currentMeta, within } from "ext:trine_prelude/context.js";

const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];

/** The program whose code runs, or undefined outside of any. */
export function currentProgram() {
  return currentMeta()?.program;
}

/** Notes a piece of text or bytes that a program prints. */
export function print(program, piece) {
  program.printed.push(typeof piece === "string" ? piece : piece.slice());
}

let Buffer;

function input(program) {
  return program.bytes ??= Buffer.from(program.text);
}

function isInput(file) {
  return file === 0 || file === "/dev/stdin" || file === "/proc/self/fd/0";
}

function decoded(bytes, options) {
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding === undefined || encoding === null || encoding === "buffer"
    ? Buffer.from(bytes)
    : bytes.toString(encoding);
}

function isOutput(file) {
  return file === 1 || file === "/dev/stdout" || file === "/proc/self/fd/1";
}

/** Lets `fs` find the text of the program that runs behind standard input, and collects its standard output. */
function redirectFiles(fs) {
  const { readFileSync, readFile, readSync, writeFileSync, writeSync } = fs;
  const readFilePromise = fs.promises.readFile;
  fs.readFileSync = function (file, options) {
    const program = currentProgram();
    return program !== undefined && isInput(file)
      ? decoded(input(program), options)
      : readFileSync.call(this, file, options);
  };
  fs.readFile = function (file, options, callback = options) {
    const program = currentProgram();
    if (program === undefined || !isInput(file)) {
      return readFile.apply(this, arguments);
    }
    const data = decoded(input(program), typeof options === "function" ? undefined : options);
    setTimeout(callback, 0, null, data);
  };
  fs.promises.readFile = async function (file, options) {
    const program = currentProgram();
    return program !== undefined && isInput(file)
      ? decoded(input(program), options)
      : await readFilePromise.call(this, file, options);
  };
  fs.writeFileSync = function (file, data) {
    const program = currentProgram();
    return program !== undefined && isOutput(file)
      ? print(program, data)
      : writeFileSync.apply(this, arguments);
  };
  fs.writeSync = function (file, data) {
    const program = currentProgram();
    if (program === undefined || !isOutput(file)) {
      return writeSync.apply(this, arguments);
    }
    print(program, data);
    return Buffer.byteLength(data);
  };
  fs.readSync = function (file, buffer, offset, length, position) {
    const program = currentProgram();
    if (program === undefined || file !== 0) {
      return readSync.apply(this, arguments);
    }
    const options = typeof offset === "object" && offset !== null ? offset : { offset, length, position };
    const from = options.position ?? program.read;
    const start = options.offset ?? 0;
    const count = input(program).copy(
      buffer,
      start,
      Number(from),
      Number(from) + (options.length ?? buffer.byteLength - start),
    );
    program.read = Number(from) + count;
    return count;
  };
}

/** Gives `process` the arguments, the standard input and the exit status of the program that runs. */
function redirectProcess(process, Readable) {
  const redirect = (name, get, set) => {
    const before = Object.getOwnPropertyDescriptor(process, name);
    let plain = before.value;
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get() {
        const program = currentProgram();
        return program !== undefined ? get(program) : before.get?.call(process) ?? plain;
      },
      set(value) {
        const program = currentProgram();
        if (program !== undefined) {
          set(program, value);
        } else if (before.set !== undefined) {
          before.set.call(process, value);
        } else {
          plain = value;
        }
      },
    });
  };
  redirect("argv", (program) => program.argv, (program, value) => program.argv = value);
  // `process.exitCode` cannot be replaced; what it writes to can.
  const os = core.loadExtScript("ext:deno_os/30_os.js");
  const { getExitCode, setExitCode } = os;
  os.getExitCode = () => currentProgram()?.exitCode ?? getExitCode();
  os.setExitCode = (code) => {
    const program = currentProgram();
    program === undefined ? setExitCode(code) : program.exitCode = code;
  };
  redirect(
    "stdin",
    (program) => {
      if (program.stdin === undefined) {
        const rest = input(program).subarray(program.read);
        program.stdin = Readable.from(rest.length === 0 ? [] : [rest], { objectMode: false });
        program.stdin.fd = 0;
      }
      return program.stdin;
    },
    (program, value) => program.stdin = value,
  );
}

let process;

function redirect(Module) {
  if (process !== undefined) {
    return;
  }
  const require = Module.createRequire("/");
  process = require("node:process");
  ({ Buffer } = require("node:buffer"));
  redirectFiles(require("node:fs"));
  redirectProcess(process, require("node:stream").Readable);
}

/** Reads and compiles a program. Returns a function that gives the callable of each hook. */
export function compileProgram(Module, path, url) {
  redirect(Module);
  const require = Module.createRequire(path);
  // A shebang is no JavaScript inside of a function; a comment keeps the numbers of lines and columns.
  const source = require("node:fs").readFileSync(path, "utf8").replace(/^#!/, "//");
  const [body, failed] = core.compileFunction(source, url, [true], PARAMETERS);
  if (failed) {
    throw failed.thrown;
  }
  const folder = require("node:path").dirname(path);
  return (hook) => () => {
    const module = new Module(path, null);
    module.filename = path;
    module.paths = Module._nodeModulePaths(folder);
    // What the program requires may require it in turn, and must find this run of it.
    Module._cache[path] = module;
    const require = Module.createRequire(path);
    require.main = module;
    currentProgram().argv = [process.execPath, path, hook];
    body.call(module.exports, module.exports, require, module, path, folder);
    module.loaded = true;
  };
}

/** Runs a program with this text as its standard input. Gives a promise of what it printed. */
export function runProgram(start, text, meta) {
  const program = { text, bytes: undefined, read: 0, printed: [], exitCode: undefined };
  const { promise, resolve, reject } = Promise.withResolvers();
  meta.program = program;
  const end = () => {
    if (meta.program !== program) {
      return;
    }
    try {
      resolve(endProgram(meta, 0));
    } catch (error) {
      reject(error);
    }
  };
  (meta.waiting ??= []).push({ empty: end });
  within({ ...meta, program }, start);
  if (meta.leftovers) {
    watch(program, end);
  }
  return promise;
}

/**
 * Where earlier invocations have left something in the event loop, it may never be empty. A program that has printed a
 * whole JSON document counts as ended then.
 */
function watch(program, end) {
  const look = () => {
    try {
      JSON.parse(textOf(program));
    } catch {
      Deno.unrefTimer(setTimeout(look, 1));
      return;
    }
    end();
  };
  Deno.unrefTimer(setTimeout(look, 0));
}

function textOf(program) {
  if (program.printed.every((piece) => typeof piece === "string")) {
    return program.printed.join("");
  }
  return Buffer.concat(program.printed.map((piece) => Buffer.from(piece))).toString();
}

/** What a program printed, without one trailing newline. Throws when its exit status is another than 0. */
export function endProgram(meta, status) {
  const { program } = meta;
  // What else runs for this invocation is none of its code.
  meta.program = undefined;
  const code = status || Number(program.exitCode ?? 0);
  if (code !== 0) {
    const error = new Error(`the program ended with exit status ${code}`);
    error.name = "Runtime.ExitError";
    error.trineKind = "Exit";
    error.stack = "";
    throw error;
  }
  const text = textOf(program);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}
