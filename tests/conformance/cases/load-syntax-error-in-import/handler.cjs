const { fine } = require("./broken.cjs");

exports.handler = () => fine;
