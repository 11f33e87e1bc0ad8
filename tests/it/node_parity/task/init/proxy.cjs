module.exports = new Proxy({}, { get: (_, name) => name === "handler" ? async () => "by a proxy" : undefined });
