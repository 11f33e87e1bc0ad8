Promise.reject(new Error("nobody listens"));

exports.handler = () => "never";
