type Event = { ms?: number };

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

async function late(ms: number): Promise<never> {
  await sleep(ms);
  throw new Error("too late");
}

export const handler = async ({ ms }: Event) => (ms === undefined ? "in time" : await late(ms));
