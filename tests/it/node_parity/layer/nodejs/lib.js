exports.handler = async () => "file of a layer";
