exports.kind = "index of a folder";
