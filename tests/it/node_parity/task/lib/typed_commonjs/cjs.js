exports.kind = "js of type commonjs";
