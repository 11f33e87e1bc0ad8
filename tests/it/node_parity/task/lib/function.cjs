module.exports = function whole() {};
module.exports.member = 1;
