// dynamoose, electrodb: models over tables of moto
// needs: aws
import dynamoose from "dynamoose";
import { Entity } from "electrodb";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";

export const handler = async () => {
  const ddb = new dynamoose.aws.ddb.DynamoDB({ endpoint: process.env.AWS_ENDPOINT_URL, region: "us-east-1" });
  dynamoose.aws.ddb.set(ddb);
  const Pet = dynamoose.model(
    "npm-dynamoose",
    new dynamoose.Schema({ id: String, name: String, age: { type: Number, default: 1 } }),
  );
  await Pet.update({ id: "1" }, { name: "Rex" });
  const made = await new Pet({ id: "2", name: "Tom" }).save();
  const scanned = (await Pet.scan("name").eq("Tom").exec()).map((pet) => pet.toJSON());
  const client = new DynamoDBClient({});
  await client
    .send(
      new CreateTableCommand({
        TableName: "npm-electro",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
        ],
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
      }),
    )
    .catch(() => {});
  const Task = new Entity(
    {
      model: { entity: "task", version: "1", service: "app" },
      attributes: { team: { type: "string" }, id: { type: "string" }, points: { type: "number" } },
      indexes: { main: { pk: { field: "pk", composite: ["team"] }, sk: { field: "sk", composite: ["id"] } } },
    },
    { client, table: "npm-electro" },
  );
  await Task.put({ team: "a", id: "1", points: 3 }).go();
  return [made.age, scanned, (await Task.query.main({ team: "a" }).go()).data];
};
