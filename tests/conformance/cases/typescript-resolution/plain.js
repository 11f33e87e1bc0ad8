exports.javascript = "javascript";
