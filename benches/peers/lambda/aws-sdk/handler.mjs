// A function with a real dependency: the client is made while the function is loaded, as is recommended for Lambda.
import { S3Client } from "@aws-sdk/client-s3";

const client = new S3Client({ region: "eu-west-1" });

export const handler = async (event) => (client ? event : undefined);
