// @aws-lambda-powertools/batch: SQS and Kinesis batches of which some fail, in parallel
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";

export const handler = async (event, context) => {
  const sqs = {
    Records: ["1", "bad", "3"].map((body, at) => ({
      messageId: `m${at}`,
      receiptHandle: "r",
      body,
      attributes: {},
      messageAttributes: {},
      eventSource: "aws:sqs",
    })),
  };
  const kinesis = {
    Records: ["1", "bad"].map((text, at) => ({
      eventSource: "aws:kinesis",
      kinesis: {
        sequenceNumber: `${at}`,
        data: btoa(text),
        partitionKey: "k",
        kinesisSchemaVersion: "1",
        approximateArrivalTimestamp: 1,
      },
    })),
  };
  const work = async (record) => {
    const text = record.body ?? atob(record.kinesis.data);
    if (text === "bad") throw new Error("bad");
    return text;
  };
  return [
    await processPartialResponse(sqs, work, new BatchProcessor(EventType.SQS), { context }),
    await processPartialResponse(kinesis, work, new BatchProcessor(EventType.KinesisDataStreams), { context }),
  ];
};
