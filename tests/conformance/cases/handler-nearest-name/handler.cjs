exports.handler = () => 1;
exports.other = () => 2;
