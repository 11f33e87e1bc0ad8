const { AsyncLocalStorage } = require("async_hooks");

const storage = new AsyncLocalStorage();

exports.handler = async ({ name, ms }) => {
  storage.enterWith(name);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return storage.getStore();
};
