// Times every `fetch` and every request of node:http and node:https that a JavaScript handler makes, and logs one line
// for each invocation with their number and the sum of their milliseconds. Stands last. Nothing to configure.
import { AsyncLocalStorage } from "node:async_hooks";
import http from "node:http";
import https from "node:https";

const current = new AsyncLocalStorage();

/** Begins a call of the invocation whose code runs; the function that it returns ends the call. */
function begin() {
  const start = performance.now();
  let calls = current.getStore();
  return () => {
    if (calls) {
      calls.count++;
      calls.milliseconds += performance.now() - start;
      calls = undefined;
    }
  };
}

export function init() {
  const plainFetch = globalThis.fetch;
  globalThis.fetch = (...args) => {
    const end = begin();
    return plainFetch(...args).finally(end);
  };
  for (const [module, name] of [[http, "request"], [http, "get"], [https, "request"], [https, "get"]]) {
    const plain = module[name];
    module[name] = (...args) => {
      const [end, request] = [begin(), plain(...args)];
      const emit = request.emit;
      // A listener for "response" would make whoever has none responsible for reading it.
      request.emit = (event, ...rest) => {
        if (event === "response" || event === "error") end();
        return emit.call(request, event, ...rest);
      };
      return request;
    };
  }
}

export const wrap = (handler) => async (event, context) => {
  const calls = { count: 0, milliseconds: 0 };
  try {
    return await current.run(calls, handler, event, context);
  } finally {
    console.log(JSON.stringify({ apm: "javascript", requestId: context.awsRequestId, ...calls }));
  }
};
