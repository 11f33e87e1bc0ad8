const missing = require("not-installed");

exports.handler = () => missing;
