// Does what the event asks for: answers, fails, never ends, leaves the process.
export const handler = async (event, context) => {
  if (event.do === "fail") {
    throw new TypeError(`no ${event.number}`);
  }
  if (event.do === "spin") {
    while (true);
  }
  if (event.do === "hang") {
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  }
  if (event.do === "exit") {
    process.exit(3);
  }
  if (event.do === "wait") {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { number: event.number, stamps: context.state.stamps ?? [], pad: event.pad };
};
