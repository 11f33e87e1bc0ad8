// @aws-sdk/client-eventbridge, @aws-sdk/client-kinesis, @aws-sdk/client-cloudwatch-logs, @aws-sdk/client-sfn: events, streams of records, logs, state machines
// needs: aws
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
} from "@aws-sdk/client-kinesis";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateStateMachineCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { NodeHttpHandler } from "@smithy/node-http-handler";

export const handler = async (event) => {
  const bridge = await new EventBridgeClient({}).send(
    new PutEventsCommand({ Entries: [{ Source: "shop", DetailType: "order", Detail: "{}" }] }),
  );
  const name = `npm-${process.versions.v8.replaceAll(".", "-")}-${event.call}`;
  // Its own choice is HTTP/2, which moto does not speak.
  const kinesis = new KinesisClient({ requestHandler: new NodeHttpHandler() });
  await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
  let described;
  do described = await kinesis.send(new DescribeStreamCommand({ StreamName: name }));
  while (described.StreamDescription.StreamStatus !== "ACTIVE");
  await kinesis.send(new PutRecordCommand({ StreamName: name, PartitionKey: "k", Data: Buffer.from("record") }));
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName: name,
      ShardId: described.StreamDescription.Shards[0].ShardId,
      ShardIteratorType: "TRIM_HORIZON",
    }),
  );
  const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  const logs = new CloudWatchLogsClient({});
  await logs.send(new CreateLogGroupCommand({ logGroupName: name }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: name, logStreamName: "s" }));
  await logs.send(
    new PutLogEventsCommand({
      logGroupName: name,
      logStreamName: "s",
      logEvents: [{ timestamp: Date.now(), message: "line" }],
    }),
  );
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: name }));
  const sfn = new SFNClient({});
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name,
      roleArn: "arn:aws:iam::123456789012:role/r",
      definition: '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}',
    }),
  );
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: "{}" }));
  return [
    bridge.FailedEntryCount,
    Records.map(({ Data }) => Buffer.from(Data).toString()),
    events.map(({ message }) => message),
    executionArn.includes(name),
  ];
};
