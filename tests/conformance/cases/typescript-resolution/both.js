exports.which = "javascript";
