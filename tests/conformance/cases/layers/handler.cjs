const both = require("both");
const layered = require("layered");

exports.handler = () => ({ layered, both });
