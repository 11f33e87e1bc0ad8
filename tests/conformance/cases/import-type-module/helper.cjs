exports.kind = typeof require === "function" ? "CommonJS" : "module";
