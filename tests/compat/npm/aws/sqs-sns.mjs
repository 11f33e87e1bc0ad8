// @aws-sdk/client-sqs, @aws-sdk/client-sns, sqs-consumer: messages from a topic to a queue, a consumer that takes them
// needs: aws
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
} from "@aws-sdk/client-sqs";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { Consumer } from "sqs-consumer";

const sqs = new SQSClient({ useQueueUrlAsEndpoint: false }),
  sns = new SNSClient({});

export const handler = async (event) => {
  const name = `npm-${process.versions.v8.replaceAll(".", "-")}-${event.call}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: Attributes.QueueArn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  await sns.send(
    new PublishCommand({
      TopicArn,
      Message: "from a topic",
      MessageAttributes: { n: { DataType: "Number", StringValue: "1" } },
    }),
  );
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"], WaitTimeSeconds: 1 }),
  );
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
  await sqs.send(
    new SendMessageBatchCommand({ QueueUrl, Entries: [1, 2, 3].map((n) => ({ Id: `${n}`, MessageBody: `m${n}` })) }),
  );
  const taken = [];
  const consumer = Consumer.create({
    queueUrl: QueueUrl,
    sqs,
    batchSize: 3,
    waitTimeSeconds: 1,
    handleMessage: async (message) => {
      taken.push(message.Body);
      return message;
    },
  });
  consumer.start();
  await new Promise((resolve) => consumer.once("empty", resolve));
  consumer.stop({ abort: true });
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  return [Messages[0].Body, Messages[0].MessageAttributes, taken.sort()];
};
