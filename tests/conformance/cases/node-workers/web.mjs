onmessage = ({ data }) => postMessage([data * 2, "__trineStart" in globalThis || "nodeBootstrap" in globalThis]);
