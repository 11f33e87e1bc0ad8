// Native addons that cannot be loaded fail as in Node, with an error that has a code, and say what to use instead.
import { internals } from "ext:core/mod.js";

/** What to use instead of packages whose native parts need Node itself. */
const INSTEAD = {
  "better-sqlite3": "node:sqlite",
  canvas: "@napi-rs/canvas",
  "node-sass": "sass",
};

/** A function of V8's C++ interface or Node's, or one from before Node-API, as the system's linker names it. */
const OF_NODE = /undefined symbol: (_Z[TVIS]*N[KVrRO]*(?:2v8|4node)\w*|node_(?!api_)\w*)/;

/** The package that a file belongs to, by the last `node_modules` in its path. */
function packageOf(path) {
  const rest = path.split("/node_modules/");
  if (rest.length === 1) {
    return undefined;
  }
  const [scope, name] = rest.at(-1).split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

function problemOf(path, symbol) {
  const name = packageOf(path);
  const what = name === undefined ? path : `${name} (${path})`;
  const instead = INSTEAD[name];
  const advice = instead === undefined
    ? "use a version of it that is built on Node-API, or a package without native code"
    : `use ${instead} instead`;
  return `${what} is made for the C++ interface of Node's own V8, which is not there: undefined symbol: ${symbol}; ${advice}`;
}

/** Guards the loading of native addons by Node's module system. */
internals.trineGuardAddons = (Module) => {
  const load = Module._extensions[".node"];
  Module._extensions[".node"] = function (module, filename) {
    try {
      return load.call(this, module, filename);
    } catch (error) {
      // What an addon's own code throws while it is loaded may have a code already.
      if (error instanceof Error) {
        const symbol = OF_NODE.exec(error.message)?.[1];
        if (symbol !== undefined) {
          error.message = problemOf(filename, symbol);
        }
        error.code ??= "ERR_DLOPEN_FAILED";
      }
      throw error;
    }
  };
};
