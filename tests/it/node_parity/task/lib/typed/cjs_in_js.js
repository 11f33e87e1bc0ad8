exports.kind = "CommonJS in type module";
