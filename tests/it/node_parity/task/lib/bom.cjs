exports.kind = "with a byte order mark";
