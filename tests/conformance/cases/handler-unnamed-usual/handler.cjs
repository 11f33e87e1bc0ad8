module.exports = () => "handler";
module.exports.lambdaHandler = () => "lambdaHandler";
