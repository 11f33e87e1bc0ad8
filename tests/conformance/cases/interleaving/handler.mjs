let send;
const sent = new Promise((resolve) => {
  send = resolve;
});

export const handler = async (event) => {
  if (event.wait) {
    return await sent;
  }
  send(event.send);
  return "sent";
};
