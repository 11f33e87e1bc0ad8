// @aws-sdk/client-dynamodb, @aws-sdk/lib-dynamodb, @aws-sdk/util-dynamodb: tables, documents, conditions, transactions, queries in pages
// needs: aws
import { CreateTableCommand, DynamoDBClient, DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  paginateQuery,
} from "@aws-sdk/lib-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";

const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);

export const handler = async () => {
  const TableName = "npm-dynamodb";
  await client.send(new DeleteTableCommand({ TableName })).catch(() => {});
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "N" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  for (let sk = 0; sk < 5; sk++)
    await documents.send(
      new PutCommand({
        TableName,
        Item: { pk: "a", sk, tags: new Set(["x", "y"]), deep: [{ n: 1.5, none: null }], bytes: new Uint8Array([1, 2]) },
      }),
    );
  const { Item } = await documents.send(new GetCommand({ TableName, Key: { pk: "a", sk: 1 } }));
  const refused = await documents
    .send(new PutCommand({ TableName, Item: { pk: "a", sk: 1 }, ConditionExpression: "attribute_not_exists(pk)" }))
    .catch((error) => error.name);
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName,
      Key: { pk: "a", sk: 1 },
      UpdateExpression: "SET #c = :c ADD hits :one",
      ExpressionAttributeNames: { "#c": "count" },
      ExpressionAttributeValues: { ":c": 3, ":one": 1 },
      ReturnValues: "UPDATED_NEW",
    }),
  );
  await documents.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName, Item: { pk: "t", sk: 1 } } },
        { Delete: { TableName, Key: { pk: "a", sk: 4 } } },
      ],
    }),
  );
  const found = [];
  for await (const page of paginateQuery(
    { client: documents, pageSize: 2 },
    { TableName, KeyConditionExpression: "pk = :a", ExpressionAttributeValues: { ":a": "a" } },
  ))
    found.push(page.Items.map(({ sk }) => sk));
  return [
    [...Item.tags],
    Item.deep,
    [...Item.bytes],
    refused,
    Attributes,
    found,
    unmarshall(marshall({ a: [1, { b: "c" }] })),
  ];
};
