module.exports = { a: 1, b() {}, ["computed" + 1]: 2 };
