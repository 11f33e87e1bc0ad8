const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  if (event === "at once") {
    Promise.reject(new Error(event));
    return event;
  }
  const slept = sleep(10);
  if (event === "busy") {
    Promise.reject(new Error(event));
    // When the timer's turn comes, its time has long passed.
    const end = Date.now() + 30;
    while (Date.now() < end);
  }
  await slept;
  return event;
};
