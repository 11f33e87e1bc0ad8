export const init = () => {
  globalThis.structuredClone = () => "patched";
};
