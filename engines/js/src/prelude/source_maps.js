// Whether the source maps count that users' code has brought along, as `--enable-source-maps` and `process` say it.
import { core } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { whenProcessStarts } from "ext:trine_prelude/process.js";

let enabled = false;
const watched = new WeakSet();

/** Whether they count. */
export function usesSourceMaps() {
  return enabled;
}

/** Lets them count, or not. */
export function setSourceMaps(value) {
  enabled = value;
}

/** What is compiled as CommonJS may have been made by a hook, and its map stand nowhere but in the text. */
export function watchCompiled(Module) {
  if (!enabled || watched.has(Module)) {
    return;
  }
  watched.add(Module);
  const compile = Module.prototype._compile;
  Module.prototype._compile = function _compile(content, filename, ...rest) {
    if (typeof content === "string") {
      host.noteSource(filename, content);
    }
    return compile.call(this, content, filename, ...rest);
  };
}

whenProcessStarts((process) => {
  const check = process.setSourceMapsEnabled;
  process.setSourceMapsEnabled = function setSourceMapsEnabled(value) {
    check(value);
    setSourceMaps(value);
    watchCompiled(core.createLazyLoader("node:module")().default);
  };
  Object.defineProperty(process, "sourceMapsEnabled", {
    configurable: true,
    enumerable: true,
    get: usesSourceMaps,
  });
});
