// AWS's SDK for JavaScript asks an emulator for everything once and prints what it got.
import * as sdk from '@aws-sdk/client-lambda';

const [endpoint, kind] = process.argv.slice(2);
const client = new sdk.LambdaClient({
  region: 'us-east-1', endpoint, maxAttempts: 1, credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
});
const text = (bytes) => Buffer.from(bytes ?? []).toString();
const log = (base64) => base64 && Buffer.from(base64, 'base64').toString();
const ask = async (Command, input) => {
  try { return await client.send(new Command(input)); }
  catch (error) { return { error: error.name, status: error.$metadata?.httpStatusCode, message: error.message }; }
};
const invoke = async (input) => {
  const answer = await ask(sdk.InvokeCommand, input);
  if (answer.error) return answer;
  const { StatusCode, FunctionError, ExecutedVersion, LogResult, Payload } = answer;
  return { StatusCode, FunctionError, ExecutedVersion, log: log(LogResult), payload: text(Payload) };
};
const stream = async (input) => {
  const answer = await ask(sdk.InvokeWithResponseStreamCommand, input);
  if (answer.error) return answer;
  const found = { StatusCode: answer.StatusCode, ExecutedVersion: answer.ExecutedVersion, chunks: [], times: [], size: 0 };
  for await (const event of answer.EventStream) {
    if (event.PayloadChunk) {
      found.size += event.PayloadChunk.Payload.length;
      found.times.push(Date.now() / 1000);
      if (found.chunks.length < 10) found.chunks.push(text(event.PayloadChunk.Payload).slice(0, 100));
    }
    if (event.InvokeComplete) {
      const { ErrorCode, ErrorDetails, LogResult } = event.InvokeComplete;
      found.complete = { ErrorCode, ErrorDetails, log: log(LogResult) };
    }
  }
  return found;
};

const inputs = JSON.parse(process.argv[4]);
const found = {};
for (const [name, input] of Object.entries(inputs)) {
  if (input.Payload !== undefined) input.Payload = Buffer.from(input.Payload);
  found[name] = await (kind === 'stream' ? stream : invoke)(input);
}
if (kind === 'invoke' && inputs.unknown) {
  const { Configuration } = await ask(sdk.GetFunctionCommand, { FunctionName: 'probe' });
  const { MemorySize } = await ask(sdk.GetFunctionConfigurationCommand, { FunctionName: 'probe' });
  const { Functions } = await ask(sdk.ListFunctionsCommand, {});
  found.described = [Configuration.FunctionArn, MemorySize, Functions.map((one) => one.FunctionName)];
}
console.log(JSON.stringify(found));
