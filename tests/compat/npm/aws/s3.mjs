// @aws-sdk/client-s3, @aws-sdk/lib-storage, @aws-sdk/s3-request-presigner: objects as texts and streams, uploads in parts, presigned requests, errors
// needs: aws
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Readable } from "node:stream";
import { createHash } from "node:crypto";

const s3 = new S3Client({ forcePathStyle: true });

export const handler = async () => {
  const Bucket = "npm-s3";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "a.txt", Body: "contént", Metadata: { kind: "text" } }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a.txt" }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "a.txt" }));
  const piece = Buffer.alloc(1024 * 1024, "x");
  const upload = new Upload({
    client: s3,
    params: { Bucket, Key: "large", Body: Readable.from(Array.from({ length: 12 }, () => piece)) },
    partSize: 5 * 1024 * 1024,
  });
  let progress = 0;
  upload.on("httpUploadProgress", () => progress++);
  await upload.done();
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of (await s3.send(new GetObjectCommand({ Bucket, Key: "large" }))).Body) {
    hash.update(chunk);
    size += chunk.length;
  }
  const missing = await s3
    .send(new GetObjectCommand({ Bucket, Key: "none" }))
    .catch((error) => [error.name, error.$metadata.httpStatusCode]);
  const fetched = await (
    await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "a.txt" }), { expiresIn: 60 }))
  ).text();
  const put = await fetch(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "b.txt" })), {
    method: "PUT",
    body: "sent",
  });
  const pages = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket }))
    pages.push(page.Contents.map(({ Key }) => Key));
  return [
    await got.Body.transformToString(),
    head.Metadata,
    progress,
    size,
    hash.digest("hex"),
    missing,
    fetched,
    put.status,
    pages,
  ];
};
