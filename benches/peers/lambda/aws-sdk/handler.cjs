// `handler.mjs` as a CommonJS module.
const { S3Client } = require("@aws-sdk/client-s3");

const client = new S3Client({ region: "eu-west-1" });

exports.handler = async (event) => (client ? event : undefined);
