const modern = require("./modern.mjs");

exports.handler = async () => {
  const again = await import("./modern.mjs");
  return { named: modern.named, default: modern.default, dynamic: again.named };
};
