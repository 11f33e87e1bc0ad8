// Loaded before a server that cannot be told on which address to listen: it stays on the loopback address.

const { Server } = require("node:net");

const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...others) {
  return listen.call(this, Number(port), "127.0.0.1", ...others);
};
