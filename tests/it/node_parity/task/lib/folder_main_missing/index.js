exports.kind = "index where the main is missing";
