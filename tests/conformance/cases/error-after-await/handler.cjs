const { setTimeout: sleep } = require("timers/promises");
async function late(ms) {
  await sleep(ms);
  throw new Error("too late");
}

exports.handler = async ({ ms }) => (ms === undefined ? "in time" : await late(ms));
