// Modules that `NODE_OPTIONS` or a command line asks for before any other: `--require` and `--import`.
import { host } from "ext:trine_prelude/context.js";
import { nodeModule } from "ext:trine_prelude/loader.js";

let loaded;

/** Loads them when it is first called, in their order. A promise of their having been loaded. */
export function preload() {
  return loaded ??= load();
}

async function load() {
  host.preloads.requires.forEach(require);
  for (const name of host.preloads.imports) {
    try {
      await host.import(name);
    } catch (error) {
      throw saysWho(error, /imported from .*\[preload\]/, `asked for by the option --import ${name}`);
    }
  }
}

/** Relative names belong to the working directory, as in Node. */
function require(name) {
  try {
    nodeModule()._preloadModules([name]);
  } catch (error) {
    throw saysWho(error, "- internal/preload", `- the option --require ${name}`);
  }
}

/** Where a module is missing, the file that asks for it is none of the user's. */
function saysWho(error, place, option) {
  if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
    const { stack } = error;
    error.message = error.message.replace(place, option);
    error.stack = String(stack).replace(place, option);
  }
  return error;
}

/** The same in a worker thread, whose own module is loaded at once: what can be loaded synchronously is. */
export function preloadThread() {
  try {
    host.preloads.requires.forEach(require);
    host.preloads.imports.forEach(requireOrImport);
  } catch (error) {
    // The thread's own error, which whoever started it gets to see.
    queueMicrotask(() => {
      throw error;
    });
  }
}

function requireOrImport(name) {
  const url = new URL(host.resolve(name));
  const require = nodeModule().createRequire("/");
  if (url.protocol !== "file:") {
    host.import(url.href);
    return;
  }
  try {
    require(require("node:url").fileURLToPath(url));
  } catch (error) {
    if (error?.code !== "ERR_REQUIRE_ASYNC_MODULE") {
      throw error;
    }
    host.import(url.href);
  }
}
