// What no Node has, in any of the versions that are in use.
const foreign_ = /^(Deno|self|window|Window|location|Location|localStorage|sessionStorage|Storage|alert|confirm|prompt|close|closed|name|on(error|load|unload|beforeunload|unhandledrejection)|reportError|caches|Cache|CacheStorage|EventSource|FileReader|ProgressEvent|PromiseRejectionEvent|Worker|Worker[GLN].*|DedicatedWorkerGlobalScope|NavigatorUAData|GPU.*|DOM(Matrix|Point|Quad|Rect).*|Image(Bitmap|Data).*|OffscreenCanvas|createImageBitmap|pollForMessages|hasMessageEventListener)$/;

export const foreign = () => {
  const names = new Set([...Object.getOwnPropertyNames(globalThis), ...Object.keys(globalThis)]);
  const inherited = ["Deno", "self", "location"].filter((name) => name in globalThis);
  return [...names, ...inherited].filter((name) => foreign_.test(name));
};
