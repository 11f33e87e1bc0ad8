exports.handler = (event) => require("squares").square(event);
