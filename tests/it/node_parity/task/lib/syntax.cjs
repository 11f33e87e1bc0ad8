exports.a = 1;
const b = ];
