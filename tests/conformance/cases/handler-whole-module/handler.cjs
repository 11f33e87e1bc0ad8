module.exports = (event) => event * event;
