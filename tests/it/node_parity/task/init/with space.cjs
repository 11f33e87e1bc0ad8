exports.handler = async () => "with a space";
