exports.kind = "CRLF";
exports.line = new Error().stack.split("\n")[1].match(/:(\d+):/)[1];
