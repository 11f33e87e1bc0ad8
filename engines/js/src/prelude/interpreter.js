// What runs in a process that was started as Node: a script, a text, or standard input.
import { core } from "ext:core/mod.js";
import { mendProcess } from "ext:trine_prelude/channels.js";
import { host } from "ext:trine_prelude/context.js";
import { describeFatal, setMain, watchErrors } from "ext:trine_prelude/fatal.js";
import { nodeModule } from "ext:trine_prelude/loader.js";
import { preload } from "ext:trine_prelude/preload.js";

let process;

/** Gives the process the arguments and the console of Node's. Called before Node's own start. */
export function prepareInterpreter({ ofRuntime }) {
  // What Node's options are looked up in.
  core.loadExtScript("ext:deno_node/internal_binding/node_options.ts")
    .setOptionSourceExecArgv(ofRuntime);
}

/** The same for what is there only after it. */
export function startInterpreter({ ofRuntime }) {
  process = nodeModule().createRequire("/")("node:process");
  process.execArgv.push(...ofRuntime);
  if (ofRuntime.includes("--no-warnings")) {
    process.removeAllListeners("warning");
  }
  useNodeConsole();
  watchErrors();
  mendProcess(process);
}

/** Makes the global console write as Node's does. */
export function useNodeConsole() {
  process ??= nodeModule().createRequire("/")("node:process");
  const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  const console = new Console({ stdout: process.stdout, stderr: process.stderr });
  Object.defineProperty(globalThis, "console", {
    value: console,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

function setArguments(main, rest) {
  process.argv.splice(1, process.argv.length - 1, ...(main === undefined ? [] : [main]), ...rest);
}

/**
 * Runs the code of this process. What it throws is thrown; a promise is what an ES module stands for.
 *
 * @param {string} kind "script", "eval" or "input"
 * @param {string} text path of the script, or the code
 * @param {string | undefined} url of the module that the code is; else it is a script
 * @param {boolean} prints whether the code's value is printed
 * @param {string[]} rest arguments behind those that name the code
 */
export function interpret(kind, text, url, prints, rest) {
  const run = kind === "script"
    ? scriptOf(text, rest)
    : codeOf(kind, text, url, prints, rest);
  const main = host.preloads === undefined ? run() : preload().then(run);
  setMain(main);
  return main;
}

function scriptOf(name, rest) {
  const Module = nodeModule();
  const path = Module.createRequire("/")("node:path").resolve(name);
  setArguments(path, rest);
  return () => {
    const found = Module._findPath(path, null, true);
    if (!found) {
      const error = new Error(`Cannot find module '${path}'`);
      error.code = "MODULE_NOT_FOUND";
      error.requireStack = [];
      throw error;
    }
    process.argv[1] = path;
    const url = host.moduleUrl(found);
    if (url !== undefined) {
      return host.import(url);
    }
    try {
      Module._load(found, null, true);
    } catch (error) {
      if (error?.code !== "ERR_REQUIRE_ASYNC_MODULE") {
        throw error;
      }
      return host.import(Module.createRequire("/")("node:url").pathToFileURL(found).href);
    }
  };
}

function codeOf(kind, text, url, prints, rest) {
  setArguments(undefined, rest);
  const name = kind === "eval" ? "[eval]" : "[stdin]";
  if (kind === "eval") {
    process._eval = text;
  }
  if (url !== undefined) {
    return () => host.import(url);
  }
  const Module = nodeModule();
  const require = Module.createRequire("/");
  const path = require("node:path");
  const folder = process.cwd();
  const module = new Module(name, null);
  module.filename = path.join(folder, name);
  module.paths = Module._nodeModulePaths(folder);
  const members = {
    __filename: name,
    __dirname: ".",
    exports: module.exports,
    module,
    require: Module.createRequire(module.filename),
  };
  for (const [member, value] of Object.entries(members)) {
    Object.defineProperty(globalThis, member, { value, writable: true, configurable: true });
  }
  defineBuiltins(Module, require);
  return () => {
    const vm = require("node:vm");
    let value;
    try {
      value = vm.runInThisContext(text, {
        filename: name,
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      });
    } catch (error) {
      // As the module system does it for a main module.
      if (process._fatalException(error)) {
        return;
      }
      throw error;
    }
    if (prints) {
      console.log(value);
    }
  };
}

/** Node's modules are global names in such code: `fs`, `path`, `os`. */
function defineBuiltins(Module, require) {
  for (const name of Module.builtinModules) {
    if (/[/:]|^_/.test(name) || name in globalThis) {
      continue;
    }
    const set = (value) =>
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get() {
        const value = require(name);
        set(value);
        return value;
      },
      set,
    });
  }
}

/**
 * The process ends with this status; its listeners are still to be called.
 *
 * @param {number} status
 * @param {boolean} isThrown whether it ends because of `thrown`, which has been thrown here
 * @returns the version of Node, and what ends it as `describeFatal` tells it
 */
export function failInterpreter(status, isThrown, thrown) {
  process.exitCode = status;
  return { version: process.version, ...describeFatal(isThrown, thrown) };
}
