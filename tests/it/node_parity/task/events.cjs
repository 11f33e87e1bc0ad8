// What events become.
const util = require("node:util");

exports.handler = async (event) => event;
exports.shape = async (event) => ({
  type: typeof event,
  inspected: util.inspect(event, { depth: 4 }),
  keys: event !== null && typeof event === "object" ? Reflect.ownKeys(event).map(String) : null,
  prototype: event !== null && typeof event === "object" ? Object.getPrototypeOf(event) === Object.prototype : null,
});
exports.changes = async (event) => {
  event.added = true;
  delete event.a;
  return event;
};
exports.frozen = async (event) => [Object.isFrozen(event), Object.isExtensible(event), event instanceof Object, Array.isArray(event)];
exports.count = async (event) => JSON.stringify(event).length;
