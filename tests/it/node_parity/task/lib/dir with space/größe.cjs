exports.kind = [__filename.split("/").at(-1), __dirname.split("/").at(-1)];
