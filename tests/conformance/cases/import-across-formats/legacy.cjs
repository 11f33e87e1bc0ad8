exports.named = "n";
