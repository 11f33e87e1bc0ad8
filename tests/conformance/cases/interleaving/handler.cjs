const { EventEmitter, once } = require("node:events");

const events = new EventEmitter();

exports.handler = async (event) => {
  if (event.wait) {
    // A timer keeps the event loop from being empty.
    const timer = setInterval(() => {}, 1000);
    const [message] = await once(events, "message");
    clearInterval(timer);
    return message;
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  events.emit("message", event.send);
  return "sent";
};
