import condition from "conditional";

export const handler = async (event) => {
  const worker = new Worker(new URL("./web.mjs", import.meta.url), { type: "module" });
  const thread = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(event);
  });
  worker.terminate();
  return {
    types: [typeof Deno, typeof self, typeof addEventListener, typeof Worker],
    version: typeof process.versions.deno === "string",
    condition,
    thread,
  };
};
