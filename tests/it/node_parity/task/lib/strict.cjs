exports.kind = [typeof this, this === module.exports, (function () { return typeof this; })()];
