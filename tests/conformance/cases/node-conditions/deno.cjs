module.exports = "deno";
