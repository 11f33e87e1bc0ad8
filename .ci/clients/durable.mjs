// AWS's SDK for JavaScript starts durable executions, answers their callbacks, and prints what has come of them.
import * as sdk from '@aws-sdk/client-lambda';

const [endpoint] = process.argv.slice(2);
const client = new sdk.LambdaClient({
  region: 'us-east-1', endpoint, maxAttempts: 1, credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
});
const ask = async (name, input) => {
  try { return await client.send(new sdk[`${name}Command`](input)); }
  catch (error) { return { error: error.name, status: error.$metadata?.httpStatusCode, message: error.message }; }
};
const invoke = async (name, event, more) => {
  const FunctionName = `${name}:$LATEST`;
  const answer = await ask('Invoke', { FunctionName, Payload: JSON.stringify(event), ...more });
  if (answer.error) return answer;
  const text = Buffer.from(answer.Payload ?? []).toString();
  return { arn: answer.DurableExecutionArn, failed: answer.FunctionError, payload: text ? JSON.parse(text) : undefined };
};
const until = async (find) => {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await find();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('waited in vain');
};
const end = (DurableExecutionArn) => until(async () => {
  const found = await ask('GetDurableExecution', { DurableExecutionArn });
  return found.Status !== 'RUNNING' && [found.Status, found.Result ?? found.Error?.ErrorMessage, found.EndTimestamp > found.StartTimestamp];
});
const callback = (DurableExecutionArn) => until(async () => {
  const { Events } = await ask('GetDurableExecutionHistory', { DurableExecutionArn, IncludeExecutionData: true });
  return Events.map((event) => event.CallbackStartedDetails?.CallbackId).find(Boolean);
});

const found = {};
for (const name of ['flow_js', 'flow_py']) {
  const one = found[name] = {};
  const named = { DurableExecutionName: 'all-of-it' };
  one.all = await invoke(name, { do: 'all' }, named);
  one.again = await invoke(name, { do: 'all' }, named);
  one.other = await invoke(name, { do: 'else' }, named);
  one.large = await invoke(name, { do: 'large' });
  one.error = await invoke(name, {});
  one.crash = await invoke(name, { do: 'crash' });
  const begin = async (timeout) => (await invoke(name, { do: 'approval', timeout }, { InvocationType: 'Event' })).arn;
  const yes = await begin(60);
  let CallbackId = await callback(yes);
  one.heartbeat = (await ask('SendDurableExecutionCallbackHeartbeat', { CallbackId })).error ?? null;
  one.success = (await ask('SendDurableExecutionCallbackSuccess', { CallbackId, Result: Buffer.from('granted') })).error ?? null;
  one.yes = await end(yes);
  const no = await begin(60);
  CallbackId = await callback(no);
  const Error = { ErrorType: 'Denied', ErrorMessage: 'not today' };
  one.failure = (await ask('SendDurableExecutionCallbackFailure', { CallbackId, Error })).error ?? null;
  one.no = await end(no);
  const late = await begin(1);
  CallbackId = await callback(late);
  one.late = await end(late);
  one.too_late = (await ask('SendDurableExecutionCallbackSuccess', { CallbackId })).error;
  const stopped = await begin(60);
  await callback(stopped);
  await ask('StopDurableExecution', { DurableExecutionArn: stopped, Error });
  one.stopped = await end(stopped);
  const list = async (Statuses) => {
    const { DurableExecutions } = await ask('ListDurableExecutionsByFunction', { FunctionName: name, Statuses });
    return DurableExecutions.length;
  };
  one.listed = [await list(['STOPPED']), await list(['RUNNING'])];
  one.unknown = (await ask('GetDurableExecution', { DurableExecutionArn: yes.replace(/.$/, '_') })).error;
  one.config = (await ask('GetFunctionConfiguration', { FunctionName: name })).DurableConfig?.ExecutionTimeout;
}
console.log(JSON.stringify(found));
