// With an instance to itself: see the case that it takes its handler from.
module.exports = require("../node-workers-unheard/handler.cjs");
