exports.kind = "main of a folder";
