// Works off a batch of an SQS queue. The ids of messages that failed are reported back, so that only those are
// delivered again; without that, one failure repeats the whole batch. The queue's event source mapping needs
// `ReportBatchItemFailures` for it.

export const handler = async (event) => {
  const records = event.Records ?? [];
  const outcomes = await Promise.allSettled(records.map(ship));
  const batchItemFailures = [];
  outcomes.forEach(({ status, reason }, index) => {
    if (status === "rejected") {
      const { messageId } = records[index];
      console.error(`message ${messageId}: ${reason.message}`);
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  });
  return { batchItemFailures };
};

async function ship(record) {
  const { order, quantity } = JSON.parse(record.body);
  if (!Number.isInteger(quantity) || quantity < 1) {
    throw new RangeError(`order ${order} has no valid quantity`);
  }
  console.log(`order ${order}: ${quantity} on the way`);
}
