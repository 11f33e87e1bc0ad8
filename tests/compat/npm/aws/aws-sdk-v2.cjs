// aws-sdk: the second generation: S3 with streams, DynamoDB documents, SQS, promises and callbacks
// needs: aws
// set: AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1
const AWS = require("aws-sdk");

exports.handler = async () => {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  const s3 = new AWS.S3({ endpoint, s3ForcePathStyle: true });
  await s3.createBucket({ Bucket: "npm-v2" }).promise();
  await s3.putObject({ Bucket: "npm-v2", Key: "a", Body: "content" }).promise();
  let text = "";
  for await (const chunk of s3.getObject({ Bucket: "npm-v2", Key: "a" }).createReadStream()) text += chunk;
  const listed = await new Promise((resolve, reject) =>
    s3.listObjectsV2({ Bucket: "npm-v2" }, (error, data) =>
      error ? reject(error) : resolve(data.Contents.map(({ Key, Size }) => [Key, Size])),
    ),
  );
  const missing = await s3
    .getObject({ Bucket: "npm-v2", Key: "b" })
    .promise()
    .catch((error) => error.code);
  const dynamo = new AWS.DynamoDB({ endpoint });
  await dynamo
    .createTable({
      TableName: "npm-v2",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    })
    .promise()
    .catch(() => {});
  const documents = new AWS.DynamoDB.DocumentClient({ service: dynamo });
  await documents
    .put({ TableName: "npm-v2", Item: { id: "1", tags: documents.createSet(["a"]), nested: { n: 1.5 } } })
    .promise();
  const { Item } = await documents.get({ TableName: "npm-v2", Key: { id: "1" } }).promise();
  const url = new URL(await s3.getSignedUrlPromise("getObject", { Bucket: "npm-v2", Key: "a" }));
  return [text, listed, missing, Item.nested, Item.tags.values, url.pathname];
};
