exports.kind = [arguments.length, typeof arguments[0], typeof arguments[1], typeof arguments[2], arguments[3] === __filename, arguments[4] === __dirname];
