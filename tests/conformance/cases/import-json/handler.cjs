exports.handler = () => require("./settings.json");
