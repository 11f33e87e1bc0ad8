Object.defineProperty(exports, "lazy", { enumerable: true, get: () => "lazy" });
