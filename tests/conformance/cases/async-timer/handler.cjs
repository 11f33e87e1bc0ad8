const { setTimeout: sleep } = require("node:timers/promises");

exports.handler = async ({ ms }) => {
  const start = performance.now();
  await sleep(ms);
  return { waited: performance.now() - start >= ms - 1 };
};
