exports.kind = "cjs in type module";
