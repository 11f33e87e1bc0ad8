import { AsyncLocalStorage } from "node:async_hooks";

const storage = new AsyncLocalStorage();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = ({ name, ms }) =>
  storage.run(name, async () => {
    await sleep(ms);
    return storage.getStore();
  });
