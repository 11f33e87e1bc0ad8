const { early, late, sum } = require("./one.cjs");

exports.handler = () => ({ early, late: late(), sum: sum() });
