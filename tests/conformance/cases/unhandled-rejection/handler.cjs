const { setTimeout: sleep } = require("node:timers/promises");

exports.handler = async (event) => {
  if (event === "reject") {
    Promise.reject(new Error("nobody listens"));
  }
  if (event === "handled") {
    Promise.reject(new Error("somebody listens")).catch(() => {});
  }
  await sleep(10);
  return event;
};
