exports.handler = async () => "größe";
