// A durable function without an SDK: each update of its input is an operation, carried out one after the other. Where the
// input says what to answer, or to crash, it does that.
const api = `${process.env.AWS_ENDPOINT_URL_LAMBDA}/2025-12-01/durable-executions`;

export const handler = async (event) => {
  const { DurableExecutionArn: arn, InitialExecutionState: state } = event;
  const ask = async (path, options) => {
    const answer = await fetch(`${api}/${encodeURIComponent(arn)}/${path}`, options);
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${answer.headers.get('x-amzn-errortype')}: ${body.message}`);
    return body;
  };
  const operations = {};
  const learn = (list) => { for (const operation of list) operations[operation.Id] = operation; };
  let token = event.CheckpointToken;
  learn(state.Operations);
  for (let marker = state.NextMarker; marker;) {
    const page = await ask(`state?CheckpointToken=${token}&Marker=${marker}&MaxItems=2`);
    learn(page.Operations);
    marker = page.NextMarker;
  }
  const checkpoint = async (...Updates) => {
    const body = JSON.stringify({ CheckpointToken: token, Updates });
    const answer = await ask('checkpoint', { method: 'POST', body });
    learn(answer.NewExecutionState.Operations);
    token = answer.CheckpointToken;
  };
  const input = JSON.parse(state.Operations[0].ExecutionDetails.InputPayload);
  if (input.crash) process.kill(process.pid, 'SIGKILL');
  if (input.token) token = input.token;
  const outcomes = [];
  for (const [at, update] of (input.updates ?? []).entries()) {
    const Id = `operation-${at}`;
    if (input.size) update.Payload = JSON.stringify('x'.repeat(input.size));
    if (!operations[Id]) await checkpoint({ Id, ...update });
    if (operations[Id].Status === 'READY') {
      await checkpoint({ Id, Type: 'STEP', Action: 'START' }, { Id, Type: 'STEP', Action: 'SUCCEED', Payload: '"at last"' });
    }
    const operation = operations[Id];
    if (['STARTED', 'PENDING'].includes(operation.Status)) return { Status: 'PENDING' };
    const { Result, Error: error } = Object.entries(operation).find(([name]) => name.endsWith('Details'))[1];
    outcomes.push(Result?.length > 100 ? Result.length : error?.ErrorType ?? Result ?? operation.Status);
  }
  return 'answer' in input ? input.answer : { Status: 'SUCCEEDED', Result: JSON.stringify(outcomes) };
};
