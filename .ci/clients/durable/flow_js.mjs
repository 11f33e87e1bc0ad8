// A durable function with AWS's SDK for JavaScript.
import { withDurableExecution } from '@aws/durable-execution-sdk-js';

const soon = (attempts) => ({
  retryStrategy: (error, attempt) => ({ shouldRetry: attempt < attempts, delay: { seconds: 1 } }),
});

const all = async (context) => {
  const step = await context.step('count', async () => 1);
  const retried = await context.step('fragile', async () => {
    // Each attempt is an invocation of its own, which begins with what is known.
    if (Date.now() - started < 800) throw new TypeError('not yet');
    return 'at last';
  }, soon(5));
  await context.wait('nap', { seconds: 1 });
  const parallel = await context.parallel('both', [
    { name: 'slow', func: async (own) => { await own.wait('short', { seconds: 1 }); return own.step(async () => 'slow'); } },
    { name: 'fast', func: async (own) => own.step(async () => 'fast') },
  ]);
  const mapped = await context.map('squares', [1, 2, 3], async (own, item) => own.step(async () => item * item));
  const child = await context.runInChildContext('child', async (own) => {
    await own.wait({ seconds: 1 });
    return own.step('inner', async () => 'inside');
  });
  const invoked = await context.invoke('call', 'helper', { word: 'é' });
  const durable = await context.invoke('call', 'flow_py:$LATEST', { do: 'sleep' });
  let failed = 'nothing';
  try { await context.invoke('call', 'nobody', {}); } catch (error) { failed = error.cause?.message ?? error.message; }
  const condition = await context.waitForCondition('poll', async (state) => state + 1, {
    initialState: 0,
    waitStrategy: (state) => state < 3 ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false },
  });
  let error = 'nothing';
  try { await context.step('hopeless', async () => { throw new RangeError('never'); }, soon(2)); } catch (thrown) { error = thrown.message; }
  return {
    step, retried, parallel: parallel.getResults(), mapped: mapped.getResults(), child, invoked, durable,
    failed: failed.includes('not found'), condition, error,
  };
};

let started = Date.now();
export const handler = withDurableExecution(async (event, context) => {
  switch (event.do) {
    case 'all':
      started = Date.parse(await context.step('begin', async () => new Date().toISOString()));
      return all(context);
    case 'sleep':
      await context.wait({ seconds: 1 });
      return 'slept';
    case 'approval':
      try {
        return await context.waitForCallback('approval', async () => {}, { timeout: { seconds: event.timeout } });
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    case 'large': {
      const lengths = [];
      for (let at = 0; at < 10; at += 1) lengths.push((await context.step(async () => 'x'.repeat(600_000))).length);
      await context.wait({ seconds: 1 });
      return lengths;
    }
    case 'crash':
      await context.step('before', async () => 1);
      process.kill(process.pid, 'SIGKILL');
      return;
    default:
      throw new RangeError('nothing to do');
  }
});
