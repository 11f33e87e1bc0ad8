const { gone } = require("./lib/gone.cjs");

exports.handler = () => gone;
