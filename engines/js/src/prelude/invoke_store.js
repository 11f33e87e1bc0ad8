// `awslambda.InvokeStore`: what code of an invocation keeps for this invocation, whatever else runs beside it. It has the
// form of the package `@aws/lambda-invoke-store`, which takes what it finds here for its own.
import { core } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";

const PROTECTED_KEYS = Object.freeze({
  REQUEST_ID: Symbol.for("_AWS_LAMBDA_REQUEST_ID"),
  X_RAY_TRACE_ID: Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID"),
  TENANT_ID: Symbol.for("_AWS_LAMBDA_TENANT_ID"),
  TRACEPARENT: Symbol.for("_AWS_LAMBDA_TRACEPARENT"),
  TRACESTATE: Symbol.for("_AWS_LAMBDA_TRACESTATE"),
  BAGGAGE: Symbol.for("_AWS_LAMBDA_BAGGAGE"),
});
const PROTECTED = new Set(Object.values(PROTECTED_KEYS));

/** What is kept outside of invocations, where these come one at a time. */
let outside;

/** What an invocation begins with. */
function begin(meta) {
  const store = {
    [PROTECTED_KEYS.REQUEST_ID]: meta.requestId,
    [PROTECTED_KEYS.X_RAY_TRACE_ID]: meta.traceId,
    [PROTECTED_KEYS.TENANT_ID]: meta.tenantId,
  };
  if (meta.w3c !== undefined) {
    const { traceparent, tracestate, baggage } = JSON.parse(meta.w3c);
    store[PROTECTED_KEYS.TRACEPARENT] = traceparent;
    store[PROTECTED_KEYS.TRACESTATE] = tracestate;
    store[PROTECTED_KEYS.BAGGAGE] = baggage;
  }
  return store;
}

/** The object that belongs to the code that runs. It is made when it is first asked for: most handlers never do. */
function current() {
  const context = core.getAsyncContext();
  if (context?.trineStore !== undefined) {
    return context.trineStore ?? undefined;
  }
  const meta = context?.trine;
  return meta === undefined ? outside : meta.store ??= begin(meta);
}

class InvokeStore {
  PROTECTED_KEYS = PROTECTED_KEYS;

  /** Runs `call` with `context` in the place of the invocation's own, as middleware and tests do. */
  run(context, call) {
    const previous = core.getAsyncContext();
    core.setAsyncContext({ ...previous, trineStore: context ?? null });
    try {
      return call();
    } finally {
      core.setAsyncContext(previous);
    }
  }

  getContext() {
    return current();
  }

  hasContext() {
    return current() !== undefined;
  }

  get(key) {
    return current()?.[key];
  }

  set(key, value) {
    if (this.isProtectedKey(key)) {
      throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
    }
    let store = current();
    if (store === undefined) {
      if (host.isManaged) {
        throw new Error("No context available");
      }
      store = outside = {};
    }
    store[key] = value;
  }

  isProtectedKey(key) {
    return PROTECTED.has(key);
  }

  getRequestId() {
    return this.get(PROTECTED_KEYS.REQUEST_ID) ?? "-";
  }

  getXRayTraceId() {
    return this.get(PROTECTED_KEYS.X_RAY_TRACE_ID);
  }

  getTenantId() {
    return this.get(PROTECTED_KEYS.TENANT_ID);
  }

  getTraceparent() {
    return this.get(PROTECTED_KEYS.TRACEPARENT);
  }

  getTracestate() {
    return this.get(PROTECTED_KEYS.TRACESTATE);
  }

  getBaggage() {
    return this.get(PROTECTED_KEYS.BAGGAGE);
  }
}

export const invokeStore = new InvokeStore();
