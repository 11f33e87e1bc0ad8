let send;
const sent = new Promise((resolve) => {
  send = resolve;
});

export const handler = async (event) => {
  if (event.wait) {
    // A timer keeps the event loop from being empty.
    const timer = setInterval(() => {}, 1000);
    const message = await sent;
    clearInterval(timer);
    return message;
  }
  send(event.send);
  return "sent";
};
