(function () {
const absent = { __proto__: null, gpu: undefined, initGPU() {} };

return { loadWebGPU: () => absent };
})();
