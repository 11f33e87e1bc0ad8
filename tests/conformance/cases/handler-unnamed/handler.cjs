exports.helper = () => "the helper";

exports.lambdaHandler = async (event) => ({ taken: event });
