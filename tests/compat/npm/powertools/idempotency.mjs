// @aws-lambda-powertools/idempotency: a second call gets the first one's answer, from a table of moto
// needs: aws
import { makeIdempotent, IdempotencyConfig } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";

let calls = 0;
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: "npm-idempotency" });
const config = new IdempotencyConfig({ eventKeyJmesPath: "id" });
const pay = makeIdempotent(async (order) => ({ paid: order.id, calls: ++calls }), { persistenceStore, config });

export const handler = async (event, context) => {
  config.registerLambdaContext(context);
  await new DynamoDBClient({})
    .send(
      new CreateTableCommand({
        TableName: "npm-idempotency",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    )
    .catch(() => {});
  calls = 0;
  const id = `${process.versions.v8}-${event.call}`;
  const [first, second] = [await pay({ id }), await pay({ id })];
  return [first.calls, second.calls, first.paid === second.paid];
};
