exports.handler = async () => "of an odd type";
