exports.kind = "beside a bad package.json";
