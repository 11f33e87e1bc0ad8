onmessage = ({ data }) =>
  postMessage([data * 2, typeof Deno, "__trineStart" in globalThis || "nodeBootstrap" in globalThis]);
