exports.kind = "returns at the top";
return;
