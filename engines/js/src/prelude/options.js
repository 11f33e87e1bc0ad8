// What `NODE_OPTIONS` and a command line ask for that `process` and the event loop have to know.
import { core, internals } from "ext:core/mod.js";
import { whenProcessStarts } from "ext:trine_prelude/process.js";

const node = () => core.createLazyLoader("node:process")().default;

/** `--no-deprecation`, `--trace-warnings` and their like. Called before Node's own start. */
export function setWarnings({ flags, disabled }) {
  whenProcessStarts((process) => {
    for (const flag of flags) {
      Object.defineProperty(process, flag, {
        value: true,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    if (disabled.length > 0) {
      const { getOptions } = core.loadExtScript(
        "ext:deno_node/internal_binding/node_options.ts",
      );
      getOptions().options.set("--disable-warning", { value: disabled });
    }
  });
}

/** `--unhandled-rejections`, where it is not `throw`, which is what happens anyway. */
export function treatRejections(mode) {
  Object.defineProperty(internals, "nodeProcessUnhandledRejectionCallback", {
    configurable: true,
    get: () => (event) => treatRejection(mode, event),
    // Set while there are listeners, who are asked for here.
    set: () => {},
  });
}

function treatRejection(mode, event) {
  const { reason, promise } = event;
  event.preventDefault();
  if (mode === "strict") {
    queueMicrotask(() => {
      throw reason;
    });
    return;
  }
  const process = node();
  const handled = process.emit("unhandledRejection", reason, promise);
  if (mode === "none" || (mode === "warn-with-error-codes" && handled)) {
    return;
  }
  const text = reason instanceof Error || core.isNativeError(reason) ? reason.stack : undefined;
  process.emitWarning(String(text ?? reason), "UnhandledPromiseRejectionWarning");
  if (mode === "warn-with-error-codes") {
    process.exitCode = 1;
  }
}
