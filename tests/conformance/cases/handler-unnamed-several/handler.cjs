exports.lambdaHandler = () => 1;
exports.lambda_handler = () => 2;
