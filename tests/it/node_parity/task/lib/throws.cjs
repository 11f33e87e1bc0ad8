exports.partial = 1;
throw new RangeError("while required");
