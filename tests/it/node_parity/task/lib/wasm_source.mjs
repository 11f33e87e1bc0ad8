import source module from "./add.wasm";
export const sum = new WebAssembly.Instance(module).exports.add(2, 3);
