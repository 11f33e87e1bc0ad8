const { greet } = require("./lib/greet.cjs");
const { loads } = require("./lib/punctuation.cjs");

exports.handler = (event) => ({ text: greet(event), loads });
