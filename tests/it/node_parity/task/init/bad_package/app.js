exports.handler = async () => "beside a bad package.json";
